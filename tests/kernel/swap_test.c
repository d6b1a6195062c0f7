/* The swap by itself: against a plain list, on disks that fail in every way,
 * and on the system's own. */

#include "support.h"

#define MODEL(condition) assert_true(condition)
#include "checksum.h"
#include "swap_model.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* ------------------------------------------------------------ sequences -- */

static uint64_t random_state;

static uint64_t random_word(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* What the sanitizers make slow they need not see as often. */
#ifdef __SANITIZE_ADDRESS__
#define SEQUENCES 20000
#else
#define SEQUENCES 100000
#endif

/* Case 90.  SZ_SEQUENCES is how many, SZ_SEED the first. */
TEST(random_operations_do_what_they_do_to_a_list)
{
    const char *given = getenv("SZ_SEQUENCES"), *seed = getenv("SZ_SEED");
    size_t count =
        given != NULL ? strtoul(given, NULL, 10) : scaled(SEQUENCES);
    uint64_t first = seed != NULL ? strtoul(seed, NULL, 10) : 0;
    uint64_t words[128];
    for (size_t i = 0; i < count; i++) {
        random_state = first + i;
        size_t length = 100 + (size_t)(random_word() % (sizeof words - 100));
        for (size_t j = 0; j < length / 8 + 1; j++)
            words[j] = random_word();
        run_model((const uint8_t *)words, length);
        if (given != NULL && i % 100000 == 99999)
            print_message("%zu sequences\n", i + 1);
    }
}

/* Found by the fuzzer once; kept. */
TEST(what_the_fuzzer_found_holds)
{
    static const char *const found[] = {""};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        run_model((const uint8_t *)found[i], strlen(found[i]));
}

/* ------------------------------------------------------------- messages -- */

static szi_swap *make_swap(const szi_disk *disk, uint64_t size, size_t buffer)
{
    szi_swap *swap = NULL;
    assert_code(szi_swap_new(disk, "", size, buffer, &swap), 0);
    return swap;
}

/* Message `number` of `size` bytes. */
static void fill(unsigned char *bytes, size_t size, uint64_t number)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(number * 31 + i);
}

static int append(szi_swap *swap, uint64_t number, uint64_t length)
{
    unsigned char bytes[8192];
    assert_true(length <= sizeof bytes);
    size_t size = (size_t)length;
    fill(bytes, size, number);
    szi_bytes part = {bytes, size};
    return szi_swap_append(swap, &part, 1);
}

/* The next message, if it is sound, is `number` of `size` bytes. */
static int take(szi_swap *swap, uint64_t number, uint64_t bytes)
{
    size_t size = (size_t)bytes;
    unsigned char got[8192], wanted[8192];
    size_t count = 0;
    const uint64_t *sizes = NULL;
    int code = szi_swap_front(swap, &count, &sizes);
    if (code != 0)
        return code;
    bool as_wanted = count == 1 && sizes[0] == size;
    size_t length = as_wanted ? size : 0;
    code = szi_swap_read(swap, got, length);
    if (code != 0)
        return code;
    assert_true(as_wanted);
    code = szi_swap_check(swap);
    if (code != 0)
        return code;
    fill(wanted, size, number);
    assert_memory_equal(got, wanted, size);
    szi_swap_drop(swap);
    return 0;
}

static size_t common_divisor(size_t a, size_t b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

/* Records of a size that has no divisor in common with the ring's begin at
 * each of its places in turn, while another is queued. */
static void go_round(size_t ring)
{
    memory_disk memory = {0};
    szi_disk disk = disk_of(&memory);
    szi_swap *swap = make_swap(&disk, ring, 8);
    size_t record = SZI_SWAP_OVERHEAD;
    while (common_divisor(record, ring) != 1 && record < ring)
        record++;
    size_t size = record - SZI_SWAP_OVERHEAD;
    uint64_t first = 0, next = 0;
    while (next < ring + 2 || first < next) {
        while (next < ring + 2 && szi_swap_room(swap) >= record)
            assert_code(append(swap, next++, size), 0);
        assert_code(take(swap, first++, size), 0);
    }
    assert_code(append(swap, 0, ring - SZI_SWAP_OVERHEAD), 0);
    assert_code(take(swap, 0, ring - SZI_SWAP_OVERHEAD), 0);
    szi_swap_free(swap);
    free(memory.data);
}

/* Case 93. */
TEST(records_wrap_at_every_place_of_every_ring)
{
    size_t step = 4096 / scaled(4096);
    for (size_t ring = SZI_SWAP_OVERHEAD; ring <= 4096; ring += step)
        go_round(ring);
}

TEST(a_message_keeps_its_parts)
{
    memory_disk memory = {0};
    szi_disk disk = disk_of(&memory);
    szi_swap *swap = make_swap(&disk, 100000, 16);
    szi_bytes parts[300];
    unsigned char content[300], got[300];
    fill(content, sizeof content, 1);
    for (size_t i = 0; i < 300; i++)
        parts[i] = (szi_bytes){content, i};
    assert_code(szi_swap_append(swap, parts, 300), 0);
    assert_code(szi_swap_append(swap, parts, 1), 0);
    size_t count;
    const uint64_t *sizes;
    assert_code(szi_swap_front(swap, &count, &sizes), 0);
    assert_int_equal(count, 300);
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(sizes[i], i);
        assert_code(szi_swap_read(swap, got, i), 0);
        assert_memory_equal(got, content, i);
    }
    assert_code(szi_swap_check(swap), 0);
    szi_swap_drop(swap);
    assert_code(take(swap, 0, 0), 0);
    assert_code(szi_swap_front(swap, &count, &sizes), SZ_EAGAIN);
    szi_swap_free(swap);
    free(memory.data);
}

/* Case 87, 94. */
TEST(what_can_never_fit_is_told_from_what_does_not_fit_now)
{
    memory_disk memory = {0};
    szi_disk disk = disk_of(&memory);
    szi_swap *swap = make_swap(&disk, 100, 16);
    assert_code(append(swap, 0, 77), SZ_EMSGSIZE);
    assert_code(append(swap, 0, 76), 0);
    assert_code(append(swap, 1, 0), SZ_EAGAIN);
    assert_code(append(swap, 1, 77), SZ_EMSGSIZE);
    assert_code(take(swap, 0, 76), 0);
    const szi_bytes beyond[] = {
        {"", SIZE_MAX}, {"", SIZE_MAX / 2}, {"", SIZE_MAX / 2 + 1}};
    szi_bytes parts[2] = {{"", 1}};
    for (size_t i = 0; i < 3; i++) {
        parts[1] = beyond[i];
        assert_code(szi_swap_append(swap, &beyond[i], 1), SZ_EMSGSIZE);
        assert_code(szi_swap_append(swap, parts, 2), SZ_EMSGSIZE);
    }
#if SIZE_MAX > UINT32_MAX
    assert_code(szi_swap_append(swap, parts, (size_t)UINT32_MAX + 1),
                SZ_EMSGSIZE);
#endif
    assert_code(append(swap, 1, 10), 0);
    assert_code(take(swap, 1, 10), 0);
    szi_swap_free(swap);
    free(memory.data);
}

/* ---------------------------------------------------------------- space -- */

TEST(a_short_burst_never_reaches_the_disk)
{
    memory_disk memory = {0};
    szi_disk disk = disk_of(&memory);
    szi_swap *swap = make_swap(&disk, 1 << 20, 1000);
    assert_int_equal(memory.opened, 1); /* the trial */
    for (int round = 0; round < 10; round++) {
        for (uint64_t i = 0; i < 20; i++)
            assert_code(append(swap, i, 100 - SZI_SWAP_OVERHEAD), 0);
        for (uint64_t i = 0; i < 20; i++)
            assert_code(take(swap, i, 100 - SZI_SWAP_OVERHEAD), 0);
    }
    assert_int_equal(memory.opened, 1);
    assert_int_equal(memory.writes, 1);
    for (uint64_t i = 0; i < 21; i++)
        assert_code(append(swap, i, 100 - SZI_SWAP_OVERHEAD), 0);
    assert_int_equal(memory.opened, 2);
    szi_swap_free(swap);
    free(memory.data);
}

static size_t allocated_most, allocated;

static void *counting_resize(void *old, size_t size)
{
    assert_null(old);
    size_t *block = malloc(size + 16);
    *block = size;
    allocated += size;
    if (allocated > allocated_most)
        allocated_most = allocated;
    return block + 2;
}

static void counting_free(void *block)
{
    size_t *own = (size_t *)block - 2;
    allocated -= *own;
    free(own);
}

TEST(memory_is_that_of_the_buffers_whatever_is_queued)
{
    memory_disk memory = {0};
    szi_disk disk = disk_of(&memory);
    allocated = allocated_most = 0;
    sz_set_allocator(counting_resize, counting_free);
    szi_swap *swap = make_swap(&disk, 1 << 30, 4096);
    for (uint64_t i = 0; i < 10000; i++)
        assert_code(append(swap, i, 1000), 0);
    for (uint64_t i = 0; i < 10000; i++)
        assert_code(take(swap, i, 1000), 0);
    assert_true(allocated_most < 2 * 4096 + 2048);
    while (szi_swap_trim(swap))
        ;
    assert_true(allocated < 2048);
    assert_int_equal(memory.length, 0);
    szi_swap_free(swap);
    assert_int_equal(allocated, 0);
    sz_set_allocator(NULL, NULL);
    free(memory.data);
}

TEST(an_empty_swap_gives_its_file_back_in_steps)
{
    memory_disk memory = {0};
    szi_disk disk = disk_of(&memory);
    szi_swap *swap = make_swap(&disk, 1 << 30, 1 << 16);
    const uint64_t count = 3000;
    for (uint64_t i = 0; i < count; i++)
        assert_code(append(swap, i, 4000), 0);
    assert_false(szi_swap_trim(swap));
    for (uint64_t i = 0; i < count; i++)
        assert_code(take(swap, i, 4000), 0);
    uint64_t before = memory.length;
    assert_true(before > 8 << 20);
    assert_true(szi_swap_trim(swap));
    assert_true(memory.length < before && memory.length > 0);
    while (szi_swap_trim(swap))
        ;
    assert_int_equal(memory.length, 0);
    szi_swap_free(swap);
    free(memory.data);
}

/* A ring whose content goes over its end, at each place. */
static void grow_at(size_t ring, size_t taken, size_t larger)
{
    memory_disk memory = {0};
    szi_disk disk = disk_of(&memory);
    szi_swap *swap = make_swap(&disk, ring, 8);
    uint64_t first = 0, next = 0;
    while (next < ring / 26)
        assert_code(append(swap, next++, 2), 0);
    while (first < taken) {
        assert_code(take(swap, first++, 2), 0);
        assert_code(append(swap, next++, 2), 0);
    }
    uint64_t room = szi_swap_room(swap);
    szi_swap_resize(swap, larger);
    assert_true(szi_swap_room(swap) >= larger - ring);
    assert_true(szi_swap_room(swap) <= room + larger - ring);
    while (szi_swap_room(swap) >= 26)
        assert_code(append(swap, next++, 2), 0);
    szi_swap_resize(swap, 2 * larger);
    while (szi_swap_room(swap) >= 26)
        assert_code(append(swap, next++, 2), 0);
    szi_swap_resize(swap, ring);
    assert_code(append(swap, next, 2), SZ_EAGAIN);
    while (first < next)
        assert_code(take(swap, first++, 2), 0);
    assert_int_equal(szi_swap_room(swap), ring);
    szi_swap_free(swap);
    free(memory.data);
}

TEST(a_full_ring_grows_at_once_wherever_it_stands)
{
    for (size_t taken = 0; taken < 25; taken++)
        for (size_t more = 60; more < 900; more += 7 * (900 / scaled(900)))
            grow_at(300, taken, 300 + more);
}

/* --------------------------------------------------------------- faults -- */

/* Appends, takes, grows and trims, on a disk or with an allocator that fails
 * somewhere; true if something failed.  What was accepted comes out, or is
 * counted as lost. */
static bool work(memory_disk *memory, bool healing)
{
    szi_disk disk = disk_of(memory);
    szi_swap *swap = NULL;
    if (szi_swap_new(&disk, "", 3000, 100, &swap) != 0)
        return true;
    uint64_t accepted[200], count = 0, at = 0;
    bool failed = false;
    for (uint64_t i = 0; i < 200; i++) {
        int code = append(swap, i, 20 + i % 90);
        if (code == 0)
            accepted[count++] = i;
        else if (code != SZ_EAGAIN || szi_swap_room(swap) > 200)
            failed = true;
        if (i == 100)
            szi_swap_resize(swap, 4000);
        if (i % 3 != 0 || at == count)
            continue;
        uint64_t lost = szi_swap_look(swap).lost;
        code = take(swap, accepted[at], 20 + accepted[at] % 90);
        lost = szi_swap_look(swap).lost - lost;
        assert_true(code == SZ_ECORRUPT ? lost > 0 : lost == 0);
        at += code == 0 ? 1 : lost;
        failed = failed || code != 0;
    }
    if (healing)
        memory->fail_from = 0;
    while (at < count) {
        uint64_t lost = szi_swap_look(swap).lost;
        int code = take(swap, accepted[at], 20 + accepted[at] % 90);
        lost = szi_swap_look(swap).lost - lost;
        assert_true(code == SZ_ECORRUPT ? lost > 0 : code == 0 && lost == 0);
        at += code == 0 ? 1 : lost;
        failed = failed || code != 0;
    }
    assert_int_equal(szi_swap_look(swap).messages, 0);
    while (szi_swap_trim(swap))
        ;
    szi_swap_free(swap);
    assert_false(memory->open);
    return failed;
}

static unsigned calls_of_work(void)
{
    memory_disk memory = {0};
    assert_false(work(&memory, true));
    free(memory.data);
    return memory.calls;
}

/* Cases 82, 83, 84. */
TEST(each_call_of_the_disk_may_fail)
{
    static const int codes[] = {SZ_EIO, SZ_ENOSPC, SZ_EINTR, SZ_EFBIG,
                                SZ_EDQUOT};
    unsigned calls = calls_of_work();
    assert_true(calls > 100);
    for (unsigned at = 1; at <= calls; at++)
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
            for (int for_good = 0; for_good < 2; for_good++) {
                memory_disk memory = {.fail_from = at,
                                      .fail_count = for_good ? UINT_MAX : 1,
                                      .failure = codes[i]};
                bool failed = work(&memory, i % 2 == 0);
                assert_true(!failed || for_good || codes[i] != SZ_EINTR);
                free(memory.data);
            }
}

TEST(a_single_failure_of_reading_loses_nothing)
{
    unsigned calls = calls_of_work();
    for (unsigned at = 1; at <= calls; at++) {
        memory_disk memory = {
            .fail_from = at, .fail_count = 1, .failure = SZ_EIO};
        szi_disk disk = disk_of(&memory);
        szi_swap *swap;
        if (szi_swap_new(&disk, "", 10000, 100, &swap) != 0) {
            free(memory.data);
            continue;
        }
        uint64_t next = 0;
        for (uint64_t i = 0; i < 100; i++)
            if (append(swap, next, 50) == 0)
                next++;
        assert_true(next >= 99);
        for (uint64_t i = 0; i < next; i++)
            assert_code(take(swap, i, 50), 0);
        szi_swap_free(swap);
        free(memory.data);
    }
}

TEST(short_reads_and_writes_are_gone_on_with)
{
    for (size_t most = 1; most < 130; most++) {
        memory_disk memory = {.most = most};
        assert_false(work(&memory, true));
        free(memory.data);
    }
}

static unsigned allocations, failing;
static bool failing_for_good;

static void *failing_resize(void *old, size_t size)
{
    allocations++;
    if (failing != 0 && (allocations == failing ||
                         (failing_for_good && allocations > failing)))
        return NULL;
    return realloc(old, size);
}

TEST(each_allocation_may_fail)
{
    sz_set_allocator(failing_resize, free);
    for (failing = 1; failing < 6; failing++)
        for (int i = 0; i < 2; i++) {
            memory_disk memory = {0};
            szi_disk disk = disk_of(&memory);
            szi_swap *swap = NULL;
            szi_bytes parts[20];
            unsigned char got[20];
            size_t count;
            const uint64_t *sizes;
            allocations = 0;
            failing_for_good = i == 1;
            for (size_t j = 0; j < 20; j++)
                parts[j] = (szi_bytes){"x", 1};
            int code = szi_swap_new(&disk, "", 4000, 50, &swap);
            if (code == 0)
                code = szi_swap_append(swap, parts, 20);
            if (code == 0)
                code = szi_swap_front(swap, &count, &sizes);
            assert_int_equal(code, failing < 4 ? SZ_ENOMEM : 0);
            /* Afterwards all is as it was, and goes on. */
            failing_for_good = false;
            if (swap == NULL)
                assert_code(szi_swap_new(&disk, "", 4000, 50, &swap), 0);
            if (szi_swap_look(swap).messages == 0)
                assert_code(szi_swap_append(swap, parts, 20), 0);
            assert_code(szi_swap_front(swap, &count, &sizes), 0);
            assert_int_equal(count, 20);
            assert_code(szi_swap_read(swap, got, 20), 0);
            assert_code(szi_swap_check(swap), 0);
            szi_swap_drop(swap);
            szi_swap_free(swap);
            free(memory.data);
        }
    sz_set_allocator(NULL, NULL);
}

/* Case 84: every bit of a file of records in turn. */
TEST(a_damaged_record_is_lost_and_counted_and_never_taken)
{
    const uint64_t count = 6;
    size_t alone = 0, all = 0, bits = 0, step = 4096 / scaled(4096);
    for (size_t bit = 0; bits == 0 || bit < bits; bit += step) {
        memory_disk memory = {0};
        szi_disk disk = disk_of(&memory);
        szi_swap *swap = make_swap(&disk, 4096, 8);
        for (uint64_t i = 0; i < count; i++)
            assert_code(append(swap, i, 10 + i), 0);
        bits = 8 * (size_t)memory.length;
        memory.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        uint64_t at = 0, lost = 0;
        while (at < count) {
            int code = take(swap, at, 10 + at);
            uint64_t more = szi_swap_look(swap).lost - lost;
            assert_true(code == SZ_ECORRUPT ? more > 0 : code == 0);
            if (code == SZ_ECORRUPT)
                assert_code(szi_swap_look(swap).error, SZ_ECORRUPT);
            lost += more;
            at += code == 0 ? 1 : more;
        }
        assert_int_equal(at, count);
        assert_int_equal(szi_swap_look(swap).messages, 0);
        assert_int_equal(szi_swap_look(swap).bytes, 0);
        alone += lost == 1;
        all += lost > 1;
        assert_code(append(swap, 9, 9), 0);
        assert_code(take(swap, 9, 9), 0);
        szi_swap_free(swap);
        free(memory.data);
    }
    /* Most bits are of bodies, whose loss the next messages survive. */
    assert_true(alone > all / 2 && all > 0);
}

TEST(the_checksum_is_that_of_the_bytes_however_they_are_cut)
{
    unsigned char bytes[100], copy[100];
    fill(bytes, sizeof bytes, 3);
    szi_checksum sum;
    szi_checksum_begin(&sum, 7);
    szi_checksum_copy(&sum, NULL, bytes, sizeof bytes);
    uint32_t whole = szi_checksum_end(&sum);
    for (size_t a = 0; a <= sizeof bytes; a++)
        for (size_t b = a; b <= sizeof bytes; b++) {
            memset(copy, 0, sizeof copy);
            szi_checksum_begin(&sum, 7);
            szi_checksum_copy(&sum, copy, bytes, a);
            szi_checksum_copy(&sum, copy + a, bytes + a, b - a);
            szi_checksum_copy(&sum, copy + b, bytes + b, sizeof bytes - b);
            assert_int_equal(szi_checksum_end(&sum), whole);
            assert_memory_equal(copy, bytes, sizeof bytes);
        }
}

/* Older records, themselves sound, stand where the write did not get to. */
TEST(a_write_that_the_disk_forgot_is_noticed)
{
    memory_disk memory = {0};
    szi_disk disk = disk_of(&memory);
    szi_swap *swap = make_swap(&disk, 2 * 34, 1);
    uint64_t next = 0;
    for (; next < 2; next++)
        assert_code(append(swap, next, 10), 0);
    for (int round = 0; round < 4; round++, next++) {
        assert_code(take(swap, next - 2, 10), 0);
        memory.forgets = round == 3;
        assert_code(append(swap, next, 10), 0);
    }
    /* The end of the record before it was to be written with it. */
    assert_code(take(swap, next - 2, 10), SZ_ECORRUPT);
    assert_code(take(swap, next - 1, 10), SZ_ECORRUPT);
    assert_int_equal(szi_swap_look(swap).lost, 2);
    szi_swap_free(swap);
    free(memory.data);
}

static uint32_t checksum_of(const void *bytes, size_t size)
{
    szi_checksum sum;
    szi_checksum_begin(&sum, 0);
    szi_checksum_copy(&sum, NULL, bytes, size);
    return szi_checksum_end(&sum);
}

TEST(the_checksum_is_the_same_without_wide_instructions)
{
    unsigned char bytes[300];
    fill(bytes, sizeof bytes, 9);
    for (size_t size = 0; size < sizeof bytes; size++) {
        uint32_t wide = checksum_of(bytes, size);
        szi_checksum_portable(true);
        uint32_t narrow = checksum_of(bytes, size);
        szi_checksum_portable(false);
        assert_int_equal(wide, narrow);
    }
}

TEST(the_checksum_finds_flipped_bits_and_exchanged_words)
{
    unsigned char bytes[64];
    fill(bytes, sizeof bytes, 5);
    uint32_t sound = checksum_of(bytes, sizeof bytes);
    for (size_t a = 0; a < 8 * sizeof bytes; a++)
        for (size_t b = 0; b <= a; b++) {
            bytes[a / 8] ^= (unsigned char)(1 << a % 8);
            if (a != b)
                bytes[b / 8] ^= (unsigned char)(1 << b % 8);
            assert_int_not_equal(checksum_of(bytes, sizeof bytes), sound);
            fill(bytes, sizeof bytes, 5);
        }
    for (size_t a = 0; a < 16; a++)
        for (size_t b = 0; b < a; b++) {
            unsigned char word[4];
            memcpy(word, bytes + 4 * a, 4);
            memcpy(bytes + 4 * a, bytes + 4 * b, 4);
            memcpy(bytes + 4 * b, word, 4);
            assert_int_not_equal(checksum_of(bytes, sizeof bytes), sound);
            fill(bytes, sizeof bytes, 5);
        }
}

/* ------------------------------------------------- the system's own disk --
 */

static int last_fd = -1;

static int noting_open(void *self, const char *directory)
{
    last_fd = szi_disk_system.open(self, directory);
    return last_fd;
}

static szi_disk noting_disk(void)
{
    szi_disk disk = szi_disk_system;
    disk.open = noting_open;
    return disk;
}

static szi_swap *make_swap_in(const szi_disk *disk, const char *directory,
                              uint64_t size)
{
    szi_swap *swap = NULL;
    assert_code(szi_swap_new(disk, directory, size, 4096, &swap), 0);
    return swap;
}

static void check_file(int fd, const char *directory)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_nlink, 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(count_entries(directory), 0);
}

/* Cases 31, 85, 86, 89. */
TEST(the_file_has_no_name_and_is_closed_on_exec)
{
    char directory[32];
    make_directory(directory);
    szi_disk disk = noting_disk();
    int before = count_descriptors();
    szi_swap *swap = make_swap_in(&disk, directory, 1 << 20);
    assert_int_equal(count_descriptors(), before);
    for (uint64_t i = 0; i < 100; i++)
        assert_code(append(swap, i, 4000), 0);
    check_file(last_fd, directory);
    int fd = szi_disk_open_unlinked(directory);
    assert_true(fd >= 0);
    check_file(fd, directory);
    close(fd);
    for (uint64_t i = 0; i < 100; i++)
        assert_code(take(swap, i, 4000), 0);
    szi_swap_free(swap);
    assert_int_equal(count_descriptors(), before);
    remove_directory(directory);
}

/* Case 86. */
TEST(a_directory_that_cannot_be_written_says_so)
{
    szi_swap *swap = NULL;
    assert_code(szi_swap_new(&szi_disk_system, "/none/here", 1000, 64, &swap),
                SZ_ENOENT);
    assert_code(szi_swap_new(&szi_disk_system, "/dev/null", 1000, 64, &swap),
                SZ_ENOTDIR);
    assert_refused(szi_swap_new(&szi_disk_system, "/proc", 1000, 64, &swap));
    assert_code(szi_disk_open_unlinked("/none/here"), SZ_ENOENT);
    assert_null(swap);
}

/* Case 85. */
TEST(a_file_that_somebody_cuts_short_is_noticed)
{
    szi_disk disk = noting_disk();
    szi_swap *swap = make_swap_in(&disk, "/var/tmp", 1 << 20);
    for (uint64_t i = 0; i < 50; i++)
        assert_code(append(swap, i, 4000), 0);
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", last_fd);
    assert_int_equal(truncate(path, 50000), 0);
    uint64_t at = 0;
    int code;
    while ((code = take(swap, at, 4000)) == 0)
        at++;
    assert_code(code, SZ_ECORRUPT);
    assert_true(at > 5 && at < 20);
    while (at + szi_swap_look(swap).lost < 50)
        assert_code(take(swap, 0, 4000), SZ_ECORRUPT);
    assert_int_equal(szi_swap_look(swap).messages, 0);
    assert_code(append(swap, 7, 100), 0);
    assert_code(take(swap, 7, 100), 0);
    szi_swap_free(swap);
}

/* Case 32: what the child does is nothing to the parent. */
static int use_inherited(void *argument)
{
    szi_swap *swap = argument;
    size_t count;
    const uint64_t *sizes;
    if (append(swap, 0, 10) != SZ_EFORKED ||
        szi_swap_front(swap, &count, &sizes) != SZ_EFORKED ||
        szi_swap_trim(swap))
        return 1;
    szi_swap_free(swap);
    return 0;
}

TEST(a_forked_child_is_refused)
{
    szi_swap *swap = make_swap_in(&szi_disk_system, "/var/tmp", 1 << 20);
    for (uint64_t i = 0; i < 50; i++)
        assert_code(append(swap, i, 4000), 0);
    assert_child(use_inherited, swap);
    for (uint64_t i = 0; i < 50; i++)
        assert_code(take(swap, i, 4000), 0);
    szi_swap_free(swap);
}

/* Appends until the disk is full, and takes all; then once more. */
static int fill_disk(const char *directory, int why)
{
    szi_swap *swap;
    if (szi_swap_new(&szi_disk_system, directory, 1 << 30, 4096, &swap) != 0)
        return 2;
    for (int round = 0; round < 2; round++) {
        uint64_t count = 0;
        int code;
        while ((code = append(swap, count, 4000)) == 0)
            count++;
        szi_swap_state look = szi_swap_look(swap);
        if (code != SZ_ENOSPC || look.error != why || look.messages != count ||
            count < 10)
            return 3;
        for (uint64_t i = 0; i < count; i++)
            if (take(swap, i, 4000) != 0)
                return 4;
        while (szi_swap_trim(swap))
            ;
    }
    szi_swap_free(swap);
    return 0;
}

static int reach_the_file_size_limit(void *argument)
{
    (void)argument;
    struct rlimit limit = {300000, 300000};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_DFL);
    sigset_t pending;
    int code = fill_disk("/var/tmp", SZ_EFBIG);
    sigpending(&pending);
    return code != 0 ? code : sigismember(&pending, SIGXFSZ);
}

/* Case 82. */
TEST(the_limit_of_a_file_means_full_and_kills_nobody)
{
    assert_child(reach_the_file_size_limit, NULL);
}

enum {
    NOT_ALLOWED = 77
};

/* In a mount namespace of its own. */
static int reach_the_end_of_a_small_disk(void *argument)
{
    const char *directory = argument;
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("swap-test", directory, "tmpfs", 0, "size=1m") != 0)
        return NOT_ALLOWED;
    int code = fill_disk(directory, SZ_ENOSPC);
    if (code != 0)
        return code;
    /* On a full disk, even one message is too much: said at once. */
    char path[64];
    snprintf(path, sizeof path, "%s/other", directory);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    static const char zeros[4096];
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
    close(fd);
    szi_swap *swap;
    return szi_swap_new(&szi_disk_system, directory, 1000, 64, &swap) ==
                   SZ_ENOSPC
               ? 0
               : 5;
}

TEST(a_full_disk_means_full)
{
    char directory[32];
    make_directory(directory);
    outcome got =
        await_child(start_child(reach_the_end_of_a_small_disk, directory));
    remove_directory(directory);
    if (got.how == EXITED && got.number == NOT_ALLOWED) {
        print_message("skipped: a disk of 1 MiB (no mount namespace here)\n");
        skip();
    }
    assert_int_equal(got.how, EXITED);
    assert_int_equal(got.number, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_do_what_they_do_to_a_list),
        cmocka_unit_test(what_the_fuzzer_found_holds),
        cmocka_unit_test(records_wrap_at_every_place_of_every_ring),
        cmocka_unit_test(a_message_keeps_its_parts),
        cmocka_unit_test(
            what_can_never_fit_is_told_from_what_does_not_fit_now),
        cmocka_unit_test(a_short_burst_never_reaches_the_disk),
        cmocka_unit_test(memory_is_that_of_the_buffers_whatever_is_queued),
        cmocka_unit_test(an_empty_swap_gives_its_file_back_in_steps),
        cmocka_unit_test(a_full_ring_grows_at_once_wherever_it_stands),
        cmocka_unit_test(each_call_of_the_disk_may_fail),
        cmocka_unit_test(a_single_failure_of_reading_loses_nothing),
        cmocka_unit_test(short_reads_and_writes_are_gone_on_with),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(a_damaged_record_is_lost_and_counted_and_never_taken),
        cmocka_unit_test(a_write_that_the_disk_forgot_is_noticed),
        cmocka_unit_test(
            the_checksum_is_that_of_the_bytes_however_they_are_cut),
        cmocka_unit_test(the_checksum_is_the_same_without_wide_instructions),
        cmocka_unit_test(the_checksum_finds_flipped_bits_and_exchanged_words),
        cmocka_unit_test(the_file_has_no_name_and_is_closed_on_exec),
        cmocka_unit_test(a_directory_that_cannot_be_written_says_so),
        cmocka_unit_test(a_file_that_somebody_cuts_short_is_noticed),
        cmocka_unit_test(a_forked_child_is_refused),
        cmocka_unit_test(the_limit_of_a_file_means_full_and_kills_nobody),
        cmocka_unit_test(a_full_disk_means_full),
    };
    return run_all("swap", tests);
}
