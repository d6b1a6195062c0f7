/* An intrusive doubly linked list: the links are members of the items.  A list
 * or link that is all zero is empty.  The owner of the items owns the list and
 * its locking. */
#ifndef SZI_LIST_H
#define SZI_LIST_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

typedef struct szi_link {
    struct szi_link *next, *previous;
} szi_link;

typedef struct {
    szi_link *first, *last;
} szi_list;

static inline void szi_list_append(szi_list *list, szi_link *link)
{
    link->next = NULL;
    link->previous = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = link;
    list->last = link;
}

static inline void szi_list_prepend(szi_list *list, szi_link *link)
{
    link->previous = NULL;
    link->next = list->first;
    *(list->first != NULL ? &list->first->previous : &list->last) = link;
    list->first = link;
}

static inline void szi_list_remove(szi_list *list, szi_link *link)
{
    *(link->previous != NULL ? &link->previous->next : &list->first) =
        link->next;
    *(link->next != NULL ? &link->next->previous : &list->last) =
        link->previous;
}

/* The item whose link, `offset` bytes into it, this is; NULL for NULL. */
static inline void *szi_list_item(szi_link *link, size_t offset)
{
    return link != NULL ? (char *)link - offset : NULL;
}

/* `link` is the name of the member that links items of `type`. */
#define SZI_FIRST(list, type, link)                                           \
    ((type *)szi_list_item((list)->first, offsetof(type, link)))
#define SZI_NEXT(item, type, link)                                            \
    ((type *)szi_list_item((item)->link.next, offsetof(type, link)))

/* The body must not remove the item. */
#define SZI_EACH(item, list, type, link)                                      \
    for (type *item = SZI_FIRST(list, type, link); item != NULL;              \
         item = SZI_NEXT(item, type, link))

#pragma GCC visibility pop

#endif
