/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The service manager: what it is told, sd_notify(3), and the descriptors that it keeps for the next run,
 * sd_listen_fds(3). Without a manager, nothing of it does anything.
 */

#include "daemon/service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/datagram.h"
#include "common/util.h"

static void strv_freep(char ***strings)
{
        if (*strings)
                for (char **string = *strings; *string; string++)
                        free(*string);
        free(*strings);
        *strings = NULL;
}

/**
 * service_take_descriptors() - take what the manager passed in
 * @offer: called for each descriptor with its name in the store; one that returns true owns it
 * @userdata: passed to @offer
 *
 * Descriptors that nobody wants are closed and removed from the store, which destroys a device
 * that nothing else holds.
 *
 * Return: how many nobody wanted, or a negative errno of sd_listen_fds_with_names(3).
 */
int service_take_descriptors(service_offer_t offer, void *userdata)
{
        _cleanup_(strv_freep) char **names = NULL;
        int n, n_closed = 0;

        n = sd_listen_fds_with_names(true, &names);
        if (n < 0)
                return n;

        for (int i = 0; i < n; i++) {
                if (offer(userdata, SD_LISTEN_FDS_START + i, names[i]))
                        continue;

                close(SD_LISTEN_FDS_START + i);
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", names[i]);
                n_closed++;
        }

        return n_closed;
}

/**
 * service_store() - let the manager keep the device
 * @fd: the device, which stays the caller's
 *
 * From now on the device outlives this process: restarts, crashes and kills. Stopping the unit ends it.
 *
 * Return: 1, 0 without a manager, or a negative errno of sd_pid_notify_with_fds(3).
 */
int service_store(int fd)
{
        return sd_pid_notify_with_fds(0, false, "FDSTORE=1\nFDNAME=" SERVICE_FDNAME, &fd, 1);
}

/**
 * service_ready() - tell that a ping would be answered now
 * @status: a line of text for `systemctl status`
 *
 * A reload that could not be applied has told an error, which a line "Error:" would show ever after.
 */
int service_ready(const char *status)
{
        return sd_notifyf(0, "READY=1\nSTATUS=%s\nERRNO=0", status);
}

/**
 * service_reloading() - tell that the settings are being read anew; service_ready() tells the end of it
 *
 * Type=notify-reload of systemd 253 compares the time with that of its signal.
 */
void service_reloading(void)
{
        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_usec());
}

/* A manager that does not read its messages must stop neither the packets nor the end: it is not told then. */
static bool manager_reads(void)
{
        const char *manager = getenv("NOTIFY_SOCKET");

        return !manager || datagram_is_read(manager);
}

/**
 * service_status() - tell how it goes, if the manager reads
 * @status: a line of text for `systemctl status`
 *
 * Return: false if it is to be told later.
 */
bool service_status(const char *status)
{
        if (!manager_reads())
                return false;

        (void) sd_notifyf(0, "STATUS=%s", status);
        return true;
}

/**
 * service_stopping() - tell that the end has begun, if the manager reads
 */
void service_stopping(void)
{
        if (manager_reads())
                (void) sd_notify(0, "STOPPING=1");
}

/**
 * service_failed() - tell why it ends, if the manager reads
 * @status: a line of text for `systemctl status`
 * @error: a negative errno, or 0
 */
void service_failed(const char *status, int error)
{
        if (manager_reads())
                (void) sd_notifyf(0, "STATUS=%s\nERRNO=%d", status, -error);
}
