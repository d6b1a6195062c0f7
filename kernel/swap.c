/* The swap: see swap.h.
 *
 * The queue is one stream of bytes, record after record, addressed by
 * positions that only grow.  At any time
 *
 *     head <= read <= loaded <= flushed <= tail
 *
 *     head..tail      the queue: whole records
 *     head..read      read already, of the record at the front
 *     read..loaded    in the front buffer
 *     loaded..flushed in the file
 *     flushed..tail   in the back buffer
 *
 * While the file is empty, a full back buffer becomes the front buffer, so
 * that a queue that fits into both never reaches the disk.
 *
 * A record is a header, the sizes of the parts if there are several, the
 * parts, and a checksum of all of it.  The header has a checksum of its own:
 * if only the rest of a record is corrupt, only that record is lost. */

#include "swap.h"
#include "checksum.h"
#include "handle.h"
#include "memory.h"
#include "ring.h"

#include <errno.h>
#include <string.h>

typedef struct {
    uint32_t mark; /* differs from that of an older record at its position */
    uint32_t parts;
    uint64_t bytes; /* of all parts */
    uint32_t checksum;
} header;

enum {
    HEADER = 20, /* bytes of `header` in the file: without padding */
    TRAILER = 4,
    SIZE = 8, /* bytes of the size of a part */
    FEW = 8,
    ALIGNED = 64 /* unaligned copies from the page cache take 3 times longer */
};

#define MAGIC UINT32_C(0x737a6d71)

struct szi_swap {
    szi_ring file;
    uint32_t process;
    int error;
    uint64_t head, read, loaded, flushed, tail;
    unsigned char *front, *back, *buffers; /* `buffers` is the block of both */
    uint64_t front_start; /* the position of the first byte of `front` */
    size_t buffer;
    uint64_t limit; /* the size of the swap */
    uint64_t messages, peak, lost;
    uint32_t serial; /* of the record at the front */
    /* How far the record at the front was read. */
    enum {
        UNREAD,
        SIZED, /* its header was read */
        OPEN,  /* its sizes were read */
        SOUND  /* it was checked, and may still be viewed */
    } stage;
    uint64_t end; /* the position behind the record */
    header record;
    uint64_t few[FEW], *sizes;
    szi_checksum sum;
    char directory[];
};

static int make_buffers(szi_swap *swap)
{
    if (swap->back != NULL)
        return 0;
    swap->buffers = szi_resize(NULL, 2 * swap->buffer + ALIGNED);
    if (swap->buffers == NULL)
        return SZ_ENOMEM;
    swap->front =
        swap->buffers + (ALIGNED - (uintptr_t)swap->buffers % ALIGNED);
    swap->back = swap->front + swap->buffer;
    return 0;
}

static void free_buffers(szi_swap *swap)
{
    szi_free(swap->buffers);
    swap->buffers = swap->front = swap->back = NULL;
}

/* Appends to the content of the file. */
static int write_next(szi_swap *swap, const void *from, size_t size)
{
    if (swap->loaded == swap->flushed)
        szi_ring_restart(&swap->file, swap->flushed, swap->limit);
    int code = szi_ring_write(&swap->file, swap->flushed, from, size);
    if (code == 0)
        swap->flushed += size;
    return code;
}

static int flush(szi_swap *swap)
{
    return write_next(swap, swap->back, (size_t)(swap->tail - swap->flushed));
}

/* Fills the front buffer from the file.  `wanted` bytes are needed now. */
static int load(szi_swap *swap, size_t wanted)
{
    size_t size =
        (size_t)szi_least(swap->buffer, swap->flushed - swap->loaded);
    int64_t done =
        szi_ring_read(&swap->file, swap->loaded, swap->front, size, wanted);
    if (done < 0)
        return (int)done;
    swap->front_start = swap->loaded;
    swap->loaded += (uint64_t)done;
    return 0;
}

/* Exchanges the buffers.  The front buffer must have been read. */
static void turn(szi_swap *swap)
{
    unsigned char *read = swap->front;
    swap->front = swap->back;
    swap->back = read;
    swap->front_start = swap->flushed;
    swap->loaded = swap->flushed = swap->tail;
}

/* Makes the back buffer empty. */
static int clear_back(szi_swap *swap)
{
    if (swap->read < swap->flushed)
        return flush(swap);
    turn(swap);
    return 0;
}

/* Writes large data from where it is, if the back buffer is empty and the file
 * in use.  The pieces have the size of a buffer, which keeps writes at whole
 * pages.  *done is the number of bytes written, or 0. */
static int put_large(szi_swap *swap, szi_checksum *sum, const void *from,
                     size_t size, size_t *done)
{
    *done = 0;
    if (sum == NULL || size / 2 < swap->buffer || swap->tail > swap->flushed ||
        swap->read == swap->flushed)
        return 0;
    size_t n = size - size % swap->buffer;
    szi_checksum_copy(sum, NULL, from,
                      n); /* before the write: fills the cache */
    int code = write_next(swap, from, n);
    if (code != 0)
        return code;
    swap->tail = swap->flushed;
    *done = n;
    return 0;
}

static int put(szi_swap *swap, szi_checksum *sum, const void *from,
               size_t size)
{
    const unsigned char *source = from;
    while (size > 0) {
        size_t filled = (size_t)(swap->tail - swap->flushed), n;
        if (filled == swap->buffer) {
            int code = clear_back(swap);
            if (code != 0)
                return code;
            filled = 0;
        }
        int code = put_large(swap, sum, source, size, &n);
        if (code != 0)
            return code;
        source += n;
        size -= n;
        n = (size_t)szi_least(size, swap->buffer - filled);
        if (sum != NULL)
            szi_checksum_copy(sum, swap->back + filled, source, n);
        else
            memcpy(swap->back + filled, source, n);
        swap->tail += n;
        source += n;
        size -= n;
    }
    return 0;
}

static int get(szi_swap *swap, szi_checksum *sum, void *to, size_t size)
{
    unsigned char *target = to;
    if (size > swap->tail - swap->read)
        return SZ_ECORRUPT;
    while (size > 0) {
        if (swap->read == swap->loaded && swap->loaded < swap->flushed) {
            int code = load(swap, size);
            if (code != 0)
                return code;
        } else if (swap->read == swap->loaded)
            turn(swap);
        const unsigned char *source =
            swap->front + (swap->read - swap->front_start);
        size_t n = (size_t)szi_least(size, swap->loaded - swap->read);
        if (sum != NULL)
            szi_checksum_copy(sum, target, source, n);
        else
            memcpy(target, source, n);
        swap->read += n;
        target += n;
        size -= n;
    }
    return 0;
}

/* Continues reading at a position, which is at most the tail. */
static void skip_to(szi_swap *swap, uint64_t to)
{
    if (to > swap->flushed)
        turn(swap);
    else if (to > swap->loaded)
        swap->loaded = swap->front_start = to;
    swap->read = to;
}

int szi_swap_new(const szi_disk *disk, const char *directory, uint64_t size,
                 size_t buffer, szi_swap **made)
{
    int code = szi_disk_try(disk, directory);
    if (code != 0)
        return code;
    size_t length = strlen(directory);
    szi_swap *swap = szi_new(sizeof *swap + length + 1);
    if (swap == NULL)
        return SZ_ENOMEM;
    memcpy(swap->directory, directory, length);
    swap->file = (szi_ring){disk, swap->directory, .fd = -1};
    swap->process = szi_process;
    swap->limit = size;
    swap->buffer = buffer;
    swap->sizes = swap->few;
    *made = swap;
    return 0;
}

static void close_record(szi_swap *swap)
{
    szi_array_free(swap->sizes, swap->few);
    swap->sizes = swap->few;
    swap->stage = UNREAD;
}

void szi_swap_free(szi_swap *swap)
{
    if (swap == NULL)
        return;
    close_record(swap);
    free_buffers(swap);
    szi_ring_close(&swap->file);
    szi_free(swap);
}

static uint64_t record_size(const header *record)
{
    uint64_t sizes = record->parts > 1 ? SIZE * (uint64_t)record->parts : 0;
    return HEADER + sizes + record->bytes + TRAILER;
}

/* False if the message is larger than any swap. */
static bool measure(const szi_bytes *parts, size_t count, header *record)
{
    const uint64_t most = INT64_MAX / 2;
    if (count > UINT32_MAX)
        return false;
    record->parts = (uint32_t)count;
    record->bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > most - record->bytes)
            return false;
        record->bytes += parts[i].size;
    }
    return true;
}

static uint32_t header_checksum(const header *record)
{
    return szi_checksum_pair((uint64_t)record->mark << 32 | record->parts,
                             record->bytes);
}

static int put_record(szi_swap *swap, header *record, const szi_bytes *parts,
                      size_t count)
{
    szi_checksum sum;
    record->mark = MAGIC ^ (swap->serial + (uint32_t)swap->messages);
    record->checksum = header_checksum(record);
    szi_checksum_begin(&sum, record->checksum);
    int code = put(swap, NULL, record, HEADER);
    for (size_t i = 0; i < count && count > 1 && code == 0; i++) {
        uint64_t size = parts[i].size;
        code = put(swap, &sum, &size, SIZE);
    }
    for (size_t i = 0; i < count && code == 0; i++)
        code = put(swap, &sum, parts[i].data, parts[i].size);
    uint32_t trailer = szi_checksum_end(&sum);
    if (code == 0)
        code = put(swap, NULL, &trailer, TRAILER);
    return code;
}

/* Undoes what was put from a position on, in whichever buffer or file it is.
 */
static void take_back(szi_swap *swap, uint64_t from)
{
    swap->tail = from;
    swap->flushed = szi_least(swap->flushed, from);
    swap->loaded = szi_least(swap->loaded, from);
}

uint64_t szi_swap_room(const szi_swap *swap)
{
    uint64_t used = swap->tail - swap->head;
    uint64_t room = swap->limit > used ? swap->limit - used : 0;
    return szi_least(room,
                     szi_ring_room(&swap->file, swap->loaded, swap->tail));
}

static bool means_full(int code)
{
    return code == SZ_ENOSPC || code == SZ_EFBIG || code == -EDQUOT;
}

int szi_swap_append(szi_swap *swap, const szi_bytes *parts, size_t count)
{
    header record = {0};
    if (swap->process != szi_process)
        return SZ_EFORKED;
    if (!measure(parts, count, &record) || record_size(&record) > swap->limit)
        return SZ_EMSGSIZE;
    if (record_size(&record) > szi_swap_room(swap))
        return SZ_EAGAIN;
    int code = make_buffers(swap);
    if (code != 0)
        return code;
    uint64_t start = swap->tail;
    code = put_record(swap, &record, parts, count);
    if (code != 0) {
        take_back(swap, start);
        swap->error = code;
        return means_full(code) ? SZ_ENOSPC : code;
    }
    swap->messages++;
    if (swap->tail - swap->head > swap->peak)
        swap->peak = swap->tail - swap->head;
    return 0;
}

/* Removes the record at the front, whose content cannot be read. */
static int lose_record(szi_swap *swap, int code)
{
    skip_to(swap, swap->end);
    szi_swap_drop(swap);
    swap->lost++;
    swap->error = code;
    return SZ_ECORRUPT;
}

/* Removes all records: the header that says where the next one begins cannot
 * be read. */
static int lose_all(szi_swap *swap, int code)
{
    swap->lost += swap->messages;
    swap->serial += (uint32_t)swap->messages;
    swap->messages = 0;
    swap->head = swap->read = swap->loaded = swap->flushed = swap->tail;
    close_record(swap);
    swap->error = code;
    return SZ_ECORRUPT;
}

static bool header_sound(const szi_swap *swap)
{
    const header *record = &swap->record;
    return record->checksum == header_checksum(record) &&
           record->mark == (MAGIC ^ swap->serial) &&
           record_size(record) <= swap->tail - swap->head;
}

static int read_header(szi_swap *swap)
{
    swap->read = swap->head;
    int code = get(swap, NULL, &swap->record, HEADER);
    if (code != 0)
        return lose_all(swap, code);
    if (!header_sound(swap))
        return lose_all(swap, SZ_ECORRUPT);
    swap->end = swap->head + record_size(&swap->record);
    swap->stage = SIZED;
    return 0;
}

static int read_sizes(szi_swap *swap)
{
    size_t count = swap->record.parts;
    swap->sizes = szi_array(swap->few, FEW, count, SIZE);
    if (swap->sizes == NULL) {
        swap->sizes = swap->few;
        return SZ_ENOMEM;
    }
    szi_checksum_begin(&swap->sum, swap->record.checksum);
    swap->stage = OPEN;
    if (count == 1) {
        swap->sizes[0] = swap->record.bytes;
        return 0;
    }
    int code = get(swap, &swap->sum, swap->sizes, count * SIZE);
    uint64_t left = swap->record.bytes;
    for (size_t i = 0; i < count && code == 0; i++) {
        if (swap->sizes[i] > left)
            code = SZ_ECORRUPT;
        left -= swap->sizes[i];
    }
    if (code == 0 && left != 0)
        code = SZ_ECORRUPT;
    return code == 0 ? 0 : lose_record(swap, code);
}

int szi_swap_front(szi_swap *swap, size_t *count, const uint64_t **sizes)
{
    if (swap->process != szi_process)
        return SZ_EFORKED;
    if (swap->messages == 0)
        return SZ_EAGAIN;
    int code = 0;
    if (swap->stage == UNREAD)
        code = read_header(swap);
    if (code == 0 && swap->stage == SIZED)
        code = read_sizes(swap);
    if (code != 0)
        return code;
    *count = swap->record.parts;
    *sizes = swap->sizes;
    return 0;
}

const void *szi_swap_view(szi_swap *swap)
{
    uint64_t size = swap->record.bytes;
    if (swap->record.parts != 1 || swap->loaded - swap->read < size + TRAILER)
        return NULL;
    const unsigned char *bytes =
        swap->front + (swap->read - swap->front_start);
    if (swap->stage == OPEN) {
        szi_checksum sum = swap->sum;
        uint32_t trailer;
        memcpy(&trailer, bytes + size, TRAILER);
        szi_checksum_copy(&sum, NULL, bytes, (size_t)size);
        if (trailer != szi_checksum_end(&sum))
            return NULL;
        swap->stage = SOUND;
    }
    return bytes;
}

int szi_swap_read(szi_swap *swap, void *to, size_t size)
{
    int code = get(swap, &swap->sum, to, size);
    return code == 0 ? 0 : lose_record(swap, code);
}

int szi_swap_check(szi_swap *swap)
{
    uint32_t trailer;
    int code = get(swap, NULL, &trailer, TRAILER);
    if (code == 0 && trailer != szi_checksum_end(&swap->sum))
        code = SZ_ECORRUPT;
    if (code != 0)
        return lose_record(swap, code);
    swap->stage = SOUND;
    return 0;
}

void szi_swap_drop(szi_swap *swap)
{
    close_record(swap);
    swap->head = swap->read = swap->end;
    swap->messages--;
    swap->serial++;
}

void szi_swap_resize(szi_swap *swap, uint64_t size)
{
    /* The ring can only grow behind content that it knows of. */
    if (size > swap->file.size && swap->loaded < swap->flushed)
        flush(swap);
    swap->limit = size;
    szi_ring_grow(&swap->file, size, swap->loaded, swap->flushed);
}

bool szi_swap_trim(szi_swap *swap)
{
    if (swap->messages > 0 || swap->process != szi_process)
        return false;
    int left = szi_ring_trim(&swap->file);
    if (left < 0)
        swap->error = left;
    if (left == 0)
        free_buffers(swap);
    return left > 0;
}

uint64_t szi_swap_count(const szi_swap *swap)
{
    return swap->messages;
}

szi_swap_state szi_swap_look(const szi_swap *swap)
{
    return (szi_swap_state){.messages = swap->messages,
                            .bytes = swap->tail - swap->head,
                            .peak = swap->peak,
                            .lost = swap->lost,
                            .error = swap->error};
}
