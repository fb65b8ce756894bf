/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The privileges of a process before and after. Each case runs in a child, as it cannot undo the change. */

#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "unit.h"

#define NET_ADMIN (UINT64_C(1) << CAP_NET_ADMIN)

/* In a child: reports the line that fails. */
#define CHECK(condition)                                         \
        do {                                                     \
                if (!(condition))                                \
                        return __FILE__ ": not so: " #condition; \
        } while (0)

#define RETURN_IF_WRONG(call)              \
        do {                               \
                const char *wrong_ = call; \
                                           \
                if (wrong_)                \
                        return wrong_;     \
        } while (0)

/* A number of /proc/self/status, which nothing of libcap stands between. */
static uint64_t status_of(const char *name, int base)
{
        FILE *file = fopen("/proc/self/status", "re");
        uint64_t value = UINT64_MAX;
        char line[256];

        while (file && fgets(line, sizeof(line), file))
                if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
                        value = strtoull(line + strlen(name) + 1, NULL, base);
        if (file)
                fclose(file);

        return value;
}

static const char *check_sets(uint64_t inheritable, uint64_t bounding)
{
        const char *what = "untouched";

        CHECK(privileges_verify(NULL, &what) == 0);
        CHECK(what == NULL);
        CHECK(privileges_check_net_admin() == 1);
        CHECK(status_of("CapPrm", 16) == NET_ADMIN);
        CHECK(status_of("CapEff", 16) == NET_ADMIN);
        CHECK(status_of("CapInh", 16) == inheritable);
        CHECK(status_of("CapBnd", 16) == bounding);
        CHECK(status_of("CapAmb", 16) == 0);
        CHECK(status_of("NoNewPrivs", 10) == 1);
        return NULL;
}

/* Sets the three sets that capset(2) knows, to what cap_from_text(3) makes of a text. */
static bool set_caps(const char *text)
{
        cap_t caps = cap_from_text(text);
        bool good = caps && cap_set_proc(caps) == 0;

        if (caps)
                cap_free(caps);

        return good;
}

static bool drop_bounding(cap_value_t kept)
{
        for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
                if (cap != kept && cap_drop_bound(cap) < 0)
                        return false;

        return true;
}

/* As the unit starts it: CAP_NET_ADMIN in every set, and no other one in any. */
static const char *start_like_the_unit(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(drop_bounding(CAP_NET_ADMIN));
        CHECK(set_caps("cap_net_admin=eip"));
        CHECK(cap_set_ambient(CAP_NET_ADMIN, CAP_SET) == 0);
        return NULL;
}

static const char *drop_as_root(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(privileges_check_net_admin() == 1);
        CHECK(privileges_drop(NULL) == 0);
        return check_sets(0, 0);
}

static const char *drop_twice(void)
{
        RETURN_IF_WRONG(drop_as_root());
        CHECK(privileges_drop(NULL) == 0);
        return check_sets(0, 0);
}

static const char *drop_for_good(void)
{
        RETURN_IF_WRONG(drop_as_root());
        CHECK(!set_caps("cap_net_admin,cap_sys_admin=ep"));
        CHECK(!set_caps("cap_net_admin=eip cap_setpcap=p"));
        CHECK(set_caps("cap_net_admin=ep"));
        return check_sets(0, 0);
}

static const char *drop_like_the_unit(void)
{
        RETURN_IF_WRONG(start_like_the_unit());
        CHECK(privileges_drop(NULL) == 0);
        return check_sets(NET_ADMIN, NET_ADMIN);
}

/* The unit's filter of system calls, which knows no capset(2). */
static const char *drop_without_capset(void)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = ARRAY_SIZE(filter), .filter = filter };

        RETURN_IF_WRONG(start_like_the_unit());
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
        CHECK(!set_caps("cap_net_admin=ep"));
        CHECK(privileges_drop(NULL) == 0);
        return check_sets(NET_ADMIN, NET_ADMIN);
}

static const char *drop_nothing(void)
{
        const char *what;

        RETURN_IF_WRONG(become_root(0));
        CHECK(set_caps("="));
        CHECK(privileges_check_net_admin() == 0);
        CHECK(privileges_drop(NULL) == -EPERM);
        CHECK(privileges_verify(NULL, &what) == -EPERM);
        CHECK(what != NULL);
        return NULL;
}

/* As in a container: the bounding set cannot change, and the other sets are exact. */
static const char *drop_without_setpcap(void)
{
        uint64_t bounding;

        RETURN_IF_WRONG(become_root(0));
        CHECK(set_caps("cap_net_admin,cap_net_raw=eip"));
        CHECK(cap_set_ambient(CAP_NET_RAW, CAP_SET) == 0);
        bounding = status_of("CapBnd", 16);
        CHECK((bounding & ~NET_ADMIN) != 0);
        CHECK(privileges_drop(NULL) == 0);
        CHECK(privileges_have_bounding());
        return check_sets(0, bounding);
}

static const char *drop_the_bounding_set(void)
{
        RETURN_IF_WRONG(drop_as_root());
        CHECK(!privileges_have_bounding());
        return NULL;
}

static const char *become_somebody(void)
{
        static const struct identity identity = { .uid = 12345, .gid = 23456 };
        uid_t ruid, euid, suid;
        gid_t rgid, egid, sgid;
        const char *what;

        CHECK(privileges_drop(&identity) == 0);
        CHECK(getresuid(&ruid, &euid, &suid) == 0);
        CHECK(ruid == 12345 && euid == 12345 && suid == 12345);
        CHECK(getresgid(&rgid, &egid, &sgid) == 0);
        CHECK(rgid == 23456 && egid == 23456 && sgid == 23456);
        CHECK(getgroups(0, NULL) == 0);
        CHECK(setuid(0) < 0 && setgid(0) < 0 && setgroups(0, NULL) < 0);
        CHECK(!privileges_are_root());
        CHECK(privileges_verify(&identity, &what) == 0);
        return check_sets(0, 0);
}

static const char *become_somebody_without_leave(void)
{
        struct identity identity = { .uid = geteuid(), .gid = getegid() };

        RETURN_IF_WRONG(start_like_the_unit());
        CHECK(privileges_drop(&identity) == -EPERM);
        return NULL;
}

static const char *verify_as_other_user(void)
{
        static const struct identity identity = { .uid = 12345, .gid = 23456 };
        const char *what;

        CHECK(privileges_drop(&(struct identity) { .uid = 12345, .gid = 23456 }) == 0);
        CHECK(privileges_verify(&identity, &what) == 0);
        CHECK(privileges_verify(&(struct identity) { .uid = 0, .gid = 23456 }, &what) == -EPERM);
        CHECK(strcmp(what, "user or groups") == 0);
        CHECK(privileges_verify(&(struct identity) { .uid = 12345, .gid = 0 }, &what) == -EPERM);
        CHECK(strcmp(what, "user or groups") == 0);
        return NULL;
}

static const char *verify_with_groups(void)
{
        static const struct identity identity = { .uid = 12345, .gid = 23456 };
        static const gid_t groups[] = { 4, 27 };
        const char *what;

        CHECK(setgroups(ARRAY_SIZE(groups), groups) == 0);
        CHECK(setresgid(identity.gid, identity.gid, identity.gid) == 0);
        CHECK(drop_bounding(CAP_NET_ADMIN));
        CHECK(cap_setuid(identity.uid) == 0);
        CHECK(set_caps("cap_net_admin=ep"));
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(privileges_verify(&identity, &what) == -EPERM);
        CHECK(strcmp(what, "user or groups") == 0);
        return NULL;
}

static const char *saved_root_is_root(void)
{
        CHECK(setresuid(12345, 12345, 0) == 0);
        CHECK(privileges_are_root());
        CHECK(setresuid(12345, 12345, 12345) == 0);
        CHECK(!privileges_are_root());
        return NULL;
}

/* A user namespace that has root and no other user. */
static const char *user_is_not_mapped(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(privileges_is_mapped(&(struct identity) { .uid = 0, .gid = 0 }));
        CHECK(!privileges_is_mapped(&(struct identity) { .uid = PRIVILEGES_ID, .gid = 0 }));
        CHECK(!privileges_is_mapped(&(struct identity) { .uid = 0, .gid = PRIVILEGES_ID }));
        CHECK(!privileges_is_mapped(&(struct identity) { .uid = UINT32_MAX, .gid = 0 }));
        return NULL;
}

static const char *user_is_mapped(void)
{
        CHECK(privileges_is_mapped(&(struct identity) { .uid = PRIVILEGES_ID, .gid = PRIVILEGES_ID }));
        return NULL;
}

/* What privileges_verify() must refuse, made of a process that it would not. */
static const char *verify_refuses(const char *word)
{
        const char *what = NULL;

        CHECK(privileges_verify(NULL, &what) == -EPERM);
        CHECK(what != NULL);
        if (!strstr(what, word))
                return "something else is refused";
        return NULL;
}

static const char *verify_good(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(drop_bounding(CAP_NET_ADMIN));
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(set_caps("cap_net_admin=eip"));
        return check_sets(NET_ADMIN, NET_ADMIN);
}

static const char *verify_without_no_new_privs(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(drop_bounding(CAP_NET_ADMIN));
        CHECK(set_caps("cap_net_admin=ep"));
        return verify_refuses("no_new_privs");
}

static const char *verify_with_permitted(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(drop_bounding(CAP_NET_ADMIN));
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(set_caps("cap_net_admin=ep cap_net_raw=p"));
        return verify_refuses("permitted");
}

static const char *verify_with_effective(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(drop_bounding(CAP_NET_ADMIN));
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(set_caps("cap_net_admin,cap_net_raw=ep"));
        return verify_refuses("effective");
}

static const char *verify_with_inheritable(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(set_caps("cap_net_admin,cap_net_raw,cap_setpcap=eip"));
        CHECK(drop_bounding(CAP_NET_ADMIN));
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(set_caps("cap_net_admin=ep cap_net_raw=i"));
        return verify_refuses("inheritable");
}

static const char *verify_with_too_little(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(drop_bounding(CAP_NET_ADMIN));
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(set_caps("cap_net_admin=p"));
        return verify_refuses("effective");
}

static const char *verify_with_ambient(void)
{
        RETURN_IF_WRONG(start_like_the_unit());
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        return verify_refuses("ambient");
}

/* With no_new_privs it grants nothing. */
static const char *verify_with_bounding(void)
{
        RETURN_IF_WRONG(become_root(0));
        CHECK(drop_bounding(CAP_SYS_ADMIN));
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(set_caps("cap_net_admin=ep"));
        CHECK(privileges_have_bounding());
        return check_sets(0, UINT64_C(1) << CAP_SYS_ADMIN);
}

/* The case of a test, passed as its initial state. */
static void test_in_child(void **state)
{
        const child_function *function = *state;
        const char *failure = in_child(*function, NULL, 0);

        if (failure)
                fail_msg("%s", failure);
}

static void test_find_user(void **state)
{
        struct identity identity = { .uid = 1, .gid = 1 };

        (void) state;

        assert_int_equal(privileges_find_user("root", &identity), -EINVAL);
        assert_int_equal(privileges_find_user("nobody has this name", &identity), -ENOENT);
        assert_int_equal(privileges_find_user("", &identity), -ENOENT);
        assert_int_equal(identity.uid, 1);
        assert_int_equal(identity.gid, 1);

        assert_int_equal(privileges_find_user("daemon", &identity), 0);
        assert_int_not_equal(identity.uid, 0);
        assert_int_equal(privileges_find_user(NULL, &identity), 0);
        assert_int_not_equal(identity.uid, 0);
        assert_int_not_equal(identity.gid, 0);
}

static const char *try_root(void)
{
        return become_root(0);
}

static const char *try_namespace(void)
{
        return unshare(CLONE_NEWUSER) == 0 ? NULL : "no user namespace";
}

static const char *try_to_be_somebody(void)
{
        return setgroups(0, NULL) == 0 && setgid(1) == 0 && setuid(1) == 0 ? NULL : "not root";
}

int main(void)
{
        static const struct {
                const char *name;
                child_function function;
                bool as_root, in_namespace;
        } cases[] = {
                { "drop_as_root", drop_as_root, false, false },
                { "drop_twice", drop_twice, false, false },
                { "drop_for_good", drop_for_good, false, false },
                { "drop_like_the_unit", drop_like_the_unit, false, false },
                { "drop_without_capset", drop_without_capset, false, false },
                { "drop_nothing", drop_nothing, false, false },
                { "drop_without_setpcap", drop_without_setpcap, false, false },
                { "drop_the_bounding_set", drop_the_bounding_set, false, false },
                { "become_somebody", become_somebody, true, false },
                { "become_somebody_without_leave", become_somebody_without_leave, false, false },
                { "verify_as_other_user", verify_as_other_user, true, false },
                { "verify_with_groups", verify_with_groups, true, false },
                { "saved_root_is_root", saved_root_is_root, true, false },
                { "user_is_not_mapped", user_is_not_mapped, false, true },
                { "user_is_mapped", user_is_mapped, true, false },
                { "verify_good", verify_good, false, false },
                { "verify_without_no_new_privs", verify_without_no_new_privs, false, false },
                { "verify_with_permitted", verify_with_permitted, false, false },
                { "verify_with_effective", verify_with_effective, false, false },
                { "verify_with_inheritable", verify_with_inheritable, false, false },
                { "verify_with_too_little", verify_with_too_little, false, false },
                { "verify_with_ambient", verify_with_ambient, false, false },
                { "verify_with_bounding", verify_with_bounding, false, false },
        };
        bool root = in_child(try_root, NULL, 0) == NULL,
             real_root = in_child(try_to_be_somebody, NULL, 0) == NULL,
             namespaces = in_child(try_namespace, NULL, 0) == NULL;
        struct CMUnitTest tests[ARRAY_SIZE(cases) + 1] = { cmocka_unit_test(test_find_user) };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct CMUnitTest *test = &tests[i + 1];

                *test = (struct CMUnitTest) {
                        .name = cases[i].name,
                        .test_func = test_in_child,
                        .initial_state = (void *) (uintptr_t) &cases[i].function,
                };
                if (cases[i].as_root)
                        skip_unless(real_root, test, "needs root");
                else if (cases[i].in_namespace)
                        skip_unless(namespaces, test, "needs user namespaces");
                else
                        skip_unless(root, test, "needs user namespaces or root");
        }

        return cmocka_run_group_tests(tests, NULL, NULL);
}
