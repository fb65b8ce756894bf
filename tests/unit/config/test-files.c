/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which files are read, in which order, and which are refused. */

#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "loading.h"

/* A path below that of the settings file, such as ".d/10.conf", until the next call. */
static const char *beside(const char *end)
{
        static char text[PATH_MAX];

        (void) snprintf(text, sizeof(text), "%s%s", path, end);
        return text;
}

/* The path of a drop-in, until the next call. */
static const char *drop_in(const char *name)
{
        static char text[PATH_MAX];

        (void) snprintf(text, sizeof(text), "%s.d/%.*s", path, NAME_MAX, name);
        return text;
}

static void write_drop_in(const char *name, const char *content)
{
        write_file(drop_in(name), content, strlen(content));
}

static void remove_drop_ins(const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                assert_int_equal(unlink(drop_in(names[i])), 0);
        assert_int_equal(rmdir(beside(".d")), 0);
}

static int load_path(struct config *config, const char *name)
{
        char words[PATH_MAX + 16];

        (void) snprintf(words, sizeof(words), "-c %s tun0", name);
        return load(config, words);
}

/* The default file need not exist; but it is named where it would help. */
static void test_default_file(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load(&config, "unit-test-only"), EX_CONFIG);
        assert_int_equal(n_reported, 1);
        assert_string_equal(reported[0].file, TUNECHO_CONFIG_DIR "/unit-test-only.conf");
        assert_int_equal(load(&config, "unit-test-only --address=10.0.0.1"), 0);
        assert_string_equal(config.sources, "defaults");
}

/* One error, of the file as a whole, which names it. */
static void assert_refused(const char *name, const char *reason)
{
        struct config config;
        int status = load_path(&config, name);

        if (status != EX_CONFIG || n_reported != 1 || !strstr(reported[0].message, reason))
                explain(name, status);
        assert_int_equal(status, EX_CONFIG);
        assert_int_equal(n_reported, 1);
        assert_string_equal(reported[0].file, name);
        assert_int_equal(reported[0].line, 0);
        assert_non_null(strstr(reported[0].message, reason));
}

static void test_files_that_are_refused(void **state)
{
        static char large[65537];
        struct config config;

        (void) state;

        assert_refused(directory, "is a directory");
        assert_refused(beside("-missing"), strerror(ENOENT));
        assert_refused("/dev/zero", "is larger than 65536 bytes");
        assert_refused("/proc/self/mem", strerror(EIO));

        assert_int_equal(symlink("conf-loop", beside("-loop")), 0);
        assert_refused(beside("-loop"), strerror(ELOOP));
        assert_int_equal(unlink(beside("-loop")), 0);

        memset(large, '\n', sizeof(large));
        assert_int_equal(load_bytes(&config, large, sizeof(large) - 1, "tun0"), 0);
        assert_int_equal(load_bytes(&config, large, sizeof(large), "tun0"), EX_CONFIG);
        assert_int_equal(n_reported, 1);
        assert_string_equal(reported[0].message, "is larger than 65536 bytes");
}

/* A pipe's descriptor, as a shell's process substitution has it; it can be read once. */
static void test_pipe(void **state)
{
        static const char content[] = "[Device]\nMTUBytes=1400\n";
        struct config config, again;
        char name[32];
        int ends[2];

        (void) state;

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        (void) snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
        assert_int_equal(write(ends[1], content, strlen(content)), strlen(content));
        close(ends[1]);
        assert_int_equal(load_path(&config, name), 0);
        assert_int_equal(config.mtu, 1400);
        assert_string_equal(config.sources, name);

        assert_int_equal(config_reload(&again, &config, on_error, reported), EX_CONFIG);
        assert_int_equal(n_reported, 1);
        assert_string_equal(reported[0].file, name);
        close(ends[0]);

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        close(ends[1]);
        assert_int_equal(load_path(&config, name), 0);
        assert_int_equal(config.mtu, 1500);
        close(ends[0]);
}

/* Its writer does not close it. One without a writer is a case of the live tests. */
static void test_fifo_without_an_end(void **state)
{
        int fd;

        (void) state;

        assert_int_equal(mkfifo(beside("-fifo"), 0600), 0);
        fd = open(beside("-fifo"), O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "[Log]\n", 6), 6);
        assert_refused(beside("-fifo"), "FIFO");
        close(fd);
        assert_int_equal(unlink(beside("-fifo")), 0);
}

static void test_other_files(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load_path(&config, "/dev/null"), 0);
        assert_string_equal(config.sources, "/dev/null");

        write_file(path, "[Device]\nMTUBytes=1400\n", 23);
        assert_int_equal(symlink("conf", beside("-link")), 0);
        assert_int_equal(load_path(&config, beside("-link")), 0);
        assert_int_equal(config.mtu, 1400);
        assert_int_equal(unlink(beside("-link")), 0);
}

/* After the file, in the order of their bytes; only *.conf, and none that is hidden. */
static void test_drop_ins(void **state)
{
        static const char *const names[] = {
                "10-a.conf",
                "9-b.conf",
                "B.conf",
                "a.conf",
                "a.conf~",
                ".hidden.conf",
                "notes",
                "z.conf.bak",
        };
        static const char content[] = "[Device]\nMTUBytes=1400\n[Network]\nAddress=10.0.0.1/24\n";
        char expected[512];
        struct config config;

        (void) state;

        assert_int_equal(mkdir(beside(".d"), 0700), 0);
        write_drop_in("10-a.conf", "[Device]\nMTUBytes=1300\n[Log]\nPackets=yes\n");
        write_drop_in("9-b.conf", "[Device]\nTransmitQueueLength=9\n[Log]\nPackets=\n");
        write_drop_in("B.conf", "[Network]\nAddress=\nAddress=10.0.1.1/24\n");
        write_drop_in("a.conf", "[Network]\nAddress=10.0.2.1/24\n[Device]\nTransmitQueueLength=10\n");
        for (size_t i = 4; i < ARRAY_SIZE(names); i++)
                write_drop_in(names[i], "[Nothing]\n");

        assert_int_equal(load_text(&config, content, "tun0"), 0);
        assert_int_equal(config.mtu, 1300);
        assert_int_equal(config.queue_length, 10);
        assert_false(config.log_packets);
        assert_int_equal(config.n_addresses, 2);
        assert_address(&config.addresses[0].prefix.address, "10.0.1.1");
        assert_address(&config.addresses[1].prefix.address, "10.0.2.1");
        (void) snprintf(expected, sizeof(expected),
                        "%1$s, %1$s.d/10-a.conf, %1$s.d/9-b.conf, %1$s.d/B.conf, %1$s.d/a.conf", path);
        assert_string_equal(config.sources, expected);

        /* An option replaces what all of them have. */
        assert_int_equal(load_text(&config, content, "tun0 -m 1500 -a 10.9.0.1/24"), 0);
        assert_int_equal(config.mtu, 1500);
        assert_int_equal(config.n_addresses, 1);
        remove_drop_ins(names, ARRAY_SIZE(names));
}

/* Errors name the drop-in and its line; also those of settings that do not fit together. */
static void test_errors_in_drop_ins(void **state)
{
        static const char *const names[] = { "1.conf", "2.conf", "3.conf", "4.conf" };
        char expected[PATH_MAX];
        struct config config;

        (void) state;

        assert_int_equal(mkdir(beside(".d"), 0700), 0);
        write_drop_in("1.conf", "[Device]\nMTUBytes=1\n");
        write_drop_in("2.conf", "# nothing\n\nMTUBytes=1\n");
        assert_int_equal(symlink("/dev/null", beside(".d/3.conf")), 0);
        assert_int_equal(symlink("missing", beside(".d/4.conf")), 0);
        assert_int_equal(load_text(&config, "[Log]\nPackets=1x\n", "tun0"), EX_CONFIG);
        assert_int_equal(n_reported, 4);
        assert_string_equal(reported[0].file, path);
        assert_int_equal(reported[0].line, 2);
        assert_string_equal(reported[1].file, beside(".d/1.conf"));
        assert_int_equal(reported[1].line, 2);
        assert_string_equal(reported[2].file, beside(".d/2.conf"));
        assert_int_equal(reported[2].line, 3);
        assert_string_equal(reported[3].file, beside(".d/4.conf"));
        assert_int_equal(reported[3].line, 0);
        assert_int_equal(unlink(beside(".d/4.conf")), 0);

        write_drop_in("1.conf", "[Device]\nMTUBytes=1279\n");
        write_drop_in("2.conf", "[Network]\nAddress=fd00::1\nPeer=10.0.0.2\n");
        assert_int_equal(load_text(&config, "", "tun0"), EX_CONFIG);
        assert_int_equal(n_reported, 2);
        assert_string_equal(reported[0].file, beside(".d/1.conf"));
        assert_int_equal(reported[0].line, 2);
        (void) snprintf(expected, sizeof(expected), "%s", beside(".d/2.conf"));
        assert_string_equal(reported[1].file, expected);
        assert_int_equal(reported[1].line, 3);
        remove_drop_ins(names, 3);

        write_file(beside(".d"), "", 0);
        assert_int_equal(load_text(&config, "", "tun0"), EX_CONFIG);
        assert_string_equal(reported[0].file, beside(".d"));
        assert_non_null(strstr(reported[0].message, strerror(ENOTDIR)));
        assert_int_equal(unlink(beside(".d")), 0);
}

/* Their number is limited, and the text that names them, too. */
static void test_many_drop_ins(void **state)
{
        static char texts[101][100];
        const char *names[101];
        char expected[256];
        struct config config;

        (void) state;

        assert_int_equal(mkdir(beside(".d"), 0700), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                (void) snprintf(texts[i], sizeof(texts[i]), "%03zu-%060d.conf", i, 0);
                names[i] = texts[i];
                if (i == 100)
                        assert_int_equal(load_text(&config, "", "tun0"), 0);
                write_drop_in(names[i], "[Log]\nPackets=yes\n");
        }
        (void) snprintf(expected, sizeof(expected), "%s and 100 drop-ins", path);
        assert_string_equal(config.sources, expected);

        assert_int_equal(load_text(&config, "", "tun0"), EX_CONFIG);
        assert_int_equal(n_reported, 1);
        assert_string_equal(reported[0].file, beside(".d"));
        remove_drop_ins(names, ARRAY_SIZE(names));
}

/* A long path loses its beginning, and no reason its end. */
static void test_long_path(void **state)
{
        char name[4000], *end = name + snprintf(name, sizeof(name), "/missing");
        struct config config;

        (void) state;

        while (end < name + sizeof(name) - 210)
                end += snprintf(end, 210, "/%0200d", 1);
        (void) snprintf(end, 10, "/\001.conf");

        assert_int_equal(load_path(&config, name), EX_CONFIG);
        assert_int_equal(n_reported, 1);
        assert_in_range(strlen(reported[0].file), 200, 255);
        assert_memory_equal(reported[0].file, "...", 3);
        assert_string_equal(strrchr(reported[0].file, '/'), "/\\x01.conf");
        assert_non_null(strstr(reported[0].message, strerror(ENOENT)));
}

/* As for a reload: the same words, and files that changed. */
static void test_reload(void **state)
{
        static const char *const names[] = { "1.conf" };
        struct config config;

        (void) state;

        assert_int_equal(
                load_text(&config, "[Device]\nMTUBytes=1400\n", "--check tun0 -a 10.0.0.1 --user nobody"), 0);
        assert_int_equal(config.mtu, 1400);

        write_file(path, "[Device]\nMTUBytes=1300\n", 23);
        assert_int_equal(mkdir(beside(".d"), 0700), 0);
        write_drop_in("1.conf", "[Log]\nSessions=loss\n");
        for (unsigned round = 0; round < 3; round++) {
                struct config before = config;

                assert_int_equal(config_reload(&config, &before, on_error, reported), 0);
                assert_int_equal(n_reported, 0);
                assert_int_equal(config.mtu, 1300);
                assert_int_equal(config.sessions, CONFIG_SESSIONS_LOSS);
                assert_int_equal(config.action, CONFIG_CHECK);
                assert_string_equal(config.interface, "tun0");
                assert_string_equal(config.user, "nobody");
                assert_int_equal(config.n_addresses, 1);
        }
        remove_drop_ins(names, ARRAY_SIZE(names));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default_file),
                cmocka_unit_test(test_files_that_are_refused),
                cmocka_unit_test(test_pipe),
                cmocka_unit_test(test_fifo_without_an_end),
                cmocka_unit_test(test_other_files),
                cmocka_unit_test(test_drop_ins),
                cmocka_unit_test(test_errors_in_drop_ins),
                cmocka_unit_test(test_many_drop_ins),
                cmocka_unit_test(test_long_path),
                cmocka_unit_test(test_reload),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
