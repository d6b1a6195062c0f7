/* The swap: see swap.h.
 *
 * The queue is a stream of records.  `head` is the position of the record at
 * the front; the stream is read from there on.
 *
 * A record is a header, the sizes of the parts if there are several, the
 * parts, and a checksum of all of it.  The header has a checksum of its own:
 * if only the rest of a record is corrupt, only that record is lost. */

#include "swap.h"
#include "handle.h"
#include "memory.h"
#include "stream.h"

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
    FEW = 8
};

#define MAGIC UINT32_C(0x737a6d71)

struct szi_swap {
    szi_stream stream;
    uint64_t head;
    uint32_t process; /* szi_process when the swap was made */
    int error;
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
    swap->stream.file = (szi_ring){disk, swap->directory, .fd = -1};
    swap->process = szi_process;
    swap->stream.size = size;
    swap->stream.buffer = buffer;
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
    szi_stream_close(&swap->stream);
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
    int code = szi_stream_put(&swap->stream, NULL, record, HEADER);
    for (size_t i = 0; i < count && count > 1 && code == 0; i++) {
        uint64_t size = parts[i].size;
        code = szi_stream_put(&swap->stream, &sum, &size, SIZE);
    }
    for (size_t i = 0; i < count && code == 0; i++)
        code =
            szi_stream_put(&swap->stream, &sum, parts[i].data, parts[i].size);
    uint32_t trailer = szi_checksum_end(&sum);
    if (code == 0)
        code = szi_stream_put(&swap->stream, NULL, &trailer, TRAILER);
    return code;
}

uint64_t szi_swap_room(const szi_swap *swap)
{
    uint64_t used = swap->stream.tail - swap->head;
    uint64_t room = swap->stream.size > used ? swap->stream.size - used : 0;
    return szi_least(room, szi_stream_room(&swap->stream));
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
    if (!measure(parts, count, &record) ||
        record_size(&record) > swap->stream.size)
        return SZ_EMSGSIZE;
    if (record_size(&record) > szi_swap_room(swap))
        return SZ_EAGAIN;
    int code = szi_stream_prepare(&swap->stream);
    if (code != 0)
        return code;
    uint64_t start = swap->stream.tail;
    code = put_record(swap, &record, parts, count);
    if (code != 0) {
        szi_stream_cut(&swap->stream, start);
        swap->error = code;
        return means_full(code) ? SZ_ENOSPC : code;
    }
    swap->messages++;
    if (swap->stream.tail - swap->head > swap->peak)
        swap->peak = swap->stream.tail - swap->head;
    return 0;
}

/* Removes the record at the front, whose content cannot be read. */
static int lose_record(szi_swap *swap, int code)
{
    szi_stream_skip_to(&swap->stream, swap->end);
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
    szi_stream_skip_to(&swap->stream, swap->stream.tail);
    swap->head = swap->stream.tail;
    close_record(swap);
    swap->error = code;
    return SZ_ECORRUPT;
}

static bool header_sound(const szi_swap *swap)
{
    const header *record = &swap->record;
    return record->checksum == header_checksum(record) &&
           record->mark == (MAGIC ^ swap->serial) &&
           record_size(record) <= swap->stream.tail - swap->head;
}

static int read_header(szi_swap *swap)
{
    swap->stream.read = swap->head;
    int code = szi_stream_get(&swap->stream, NULL, &swap->record, HEADER);
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
    int code =
        szi_stream_get(&swap->stream, &swap->sum, swap->sizes, count * SIZE);
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
    if (swap->record.parts != 1)
        return NULL;
    const unsigned char *bytes =
        szi_stream_peek(&swap->stream, size + TRAILER);
    if (bytes != NULL && swap->stage == OPEN) {
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
    int code = szi_stream_get(&swap->stream, &swap->sum, to, size);
    return code == 0 ? 0 : lose_record(swap, code);
}

int szi_swap_check(szi_swap *swap)
{
    uint32_t trailer;
    int code = szi_stream_get(&swap->stream, NULL, &trailer, TRAILER);
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
    swap->head = swap->stream.read = swap->end;
    swap->messages--;
    swap->serial++;
}

void szi_swap_resize(szi_swap *swap, uint64_t size)
{
    szi_stream_resize(&swap->stream, size);
}

bool szi_swap_trim(szi_swap *swap)
{
    if (swap->messages > 0 || swap->process != szi_process)
        return false;
    int left = szi_stream_trim(&swap->stream);
    if (left < 0)
        swap->error = left;
    return left > 0;
}

uint64_t szi_swap_count(const szi_swap *swap)
{
    return swap->messages;
}

szi_swap_state szi_swap_look(const szi_swap *swap)
{
    return (szi_swap_state){.messages = swap->messages,
                            .bytes = swap->stream.tail - swap->head,
                            .peak = swap->peak,
                            .lost = swap->lost,
                            .error = swap->error};
}
