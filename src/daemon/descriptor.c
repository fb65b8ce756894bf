/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The descriptor of the device: from systemd's store, where a previous process left it, or a new one. */

#include "daemon/descriptor.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/util.h"
#include "daemon/fail.h"
#include "daemon/service.h"
#include "net/tun-holder.h"
#include "net/tun.h"

struct opening {
        const struct config *config;
        const struct journal *journal;
        int fd;
        bool adopted;
};

/* systemd passes the descriptors that it stored: the device, if a previous process had one. */
static bool on_descriptor(void *userdata, int fd, const char *name)
{
        struct opening *opening = userdata;
        const char *interface = opening->config->interface;
        char found[IFNAMSIZ] = "";
        int r = -EINVAL;

        if (opening->fd < 0 && strcmp(name, SERVICE_FDNAME) == 0)
                r = tun_adopt(fd);
        if (r == 0)
                r = tun_name(fd, found);
        if (r == 0) {
                opening->fd = fd;
                opening->adopted = true;
                if (strcmp(found, interface) == 0)
                        journal_send(opening->journal, MESSAGE_TAKEN_OVER, NULL, 0,
                                     "'%s' is recovered from the descriptor store, with the packets "
                                     "queued in it",
                                     interface);
                else
                        journal_send(opening->journal, MESSAGE_RENAMED, NULL, 0,
                                     "'%s' was renamed to '%s', and continues under that name", interface,
                                     found);
                return true;
        }

        if (r == -ENODEV)
                journal_send(opening->journal, MESSAGE_DESCRIPTOR_CLOSED, NULL, r,
                             "The device of the previous process was deleted, '%s' is created again",
                             interface);
        else
                journal_send(opening->journal, MESSAGE_DESCRIPTOR_CLOSED, NULL, r,
                             "Closing the descriptor '%s' from systemd: it is not a TUN device of "
                             "tunecho",
                             name);
        return false;
}

/* EX_UNAVAILABLE is for what is the same at the next attempt; the unit restarts for other statuses alone. */
static int fail_open(const struct opening *opening, int error)
{
        static const struct {
                int error;
                const char *hint;
        } hints[] = {
                { -EACCES, "its mode must allow this user to read and write it, as 0666 does" },
                { -EPERM, "the device policy of the container or of the unit does not allow it" },
                { -ENOENT, "load the kernel module tun, or pass the node into the container" },
                { -ENODEV, "load the kernel module tun" },
                { -ENXIO, "load the kernel module tun" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
                if (error == hints[i].error)
                        return fail(opening->journal, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, error,
                                    "Cannot open /dev/net/tun: %m; %s", hints[i].hint);

        return fail(opening->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, error, "Cannot open /dev/net/tun: %m");
}

/* "process 4711 (qemu)" */
static const char *holder_text(pid_t pid, char *text, size_t size)
{
        char name[TUN_HOLDER_NAME_SIZE] = "?";

        if (pid <= 0)
                return "another process";

        (void) tun_holder_name(pid, name);
        (void) snprintf(text, size, "process %d (%s)", pid, name);
        return text;
}

/* An interface of another kind; a TAP device has a holder, too. */
static int fail_kind(const struct opening *opening, int error)
{
        const char *name = opening->config->interface;
        char text[64], suffix[80] = "";
        pid_t holder = 0;

        if (tun_find_holder(name, &holder) == 0)
                (void) snprintf(suffix, sizeof(suffix), "; %s holds it",
                                holder_text(holder, text, sizeof(text)));

        return fail(opening->journal, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, error,
                    "Cannot create '%s': an interface of this name exists, and is not a TUN device with one "
                    "queue%s",
                    name, suffix);
}

static int fail_create(const struct opening *opening, int error, pid_t holder)
{
        const char *name = opening->config->interface;
        char text[64];

        switch (error) {
        case -EBUSY:
                return fail(opening->journal, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, error,
                            "Cannot create '%s': %s holds this device", name,
                            holder_text(holder, text, sizeof(text)));
        case -EINVAL:
                return fail_kind(opening, error);
        case -EPERM:
                return fail(opening->journal, EX_NOPERM, MESSAGE_PRIVILEGES, error,
                            "Not allowed to create '%s': CAP_NET_ADMIN is needed in the user namespace of "
                            "the network namespace",
                            name);
        default:
                return fail(opening->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, error,
                            "Cannot create '%s': %m", name);
        }
}

static int create(struct opening *opening)
{
        _cleanup_(close_fdp) int fd = -1;
        pid_t holder = 0;
        int r;

        r = tun_open(&fd);
        if (r < 0)
                return fail_open(opening, r);

        r = tun_attach_wait(fd, opening->config->interface, &holder);
        if (r < 0)
                return fail_create(opening, r, holder);

        opening->fd = steal_fd(&fd);
        return 0;
}

/**
 * descriptor_open() - recover the device from the descriptor store, or create it
 * @config: the settings, which name the device
 * @journal: where to report
 * @ret_fd: set to the descriptor, owned by the caller
 * @ret_adopted: set to whether a previous process had it
 *
 * systemd keeps the device from then on, so that a later failure does not destroy it.
 *
 * Return: 0, or the status to exit with.
 */
int descriptor_open(const struct config *config, const struct journal *journal, int *ret_fd,
                    bool *ret_adopted)
{
        struct opening opening = { .config = config, .journal = journal, .fd = -1 };
        int n_closed, r;

        n_closed = service_receive_descriptors(on_descriptor, &opening);
        if (n_closed < 0)
                return fail(journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, n_closed,
                            "Cannot receive the descriptors of systemd: %m");

        if (opening.fd < 0) {
                r = create(&opening);
                if (r != 0)
                        return r;
        }

        /* Removing another descriptor by its name may have removed this one from the store, too. */
        if (!opening.adopted || n_closed > 0) {
                r = service_store_device(opening.fd);
                if (r < 0)
                        journal_send(journal, MESSAGE_STORE_FAILED, NULL, r,
                                     "Cannot store the descriptor of '%s', a restart will create it "
                                     "again: %m",
                                     config->interface);
        }

        *ret_fd = opening.fd;
        *ret_adopted = opening.adopted;
        return 0;
}
