/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The interface to systemd: notifications, sd_notify(3), and the descriptor store, sd_listen_fds(3). In a
 * process that systemd did not start, every function here does nothing and succeeds.
 */

#include "daemon/service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/receiver.h"

static void strv_freep(char ***strings)
{
        if (*strings)
                for (char **string = *strings; *string; string++)
                        free(*string);
        free(*strings);
        *strings = NULL;
}

/**
 * service_receive_descriptors() - receive the descriptors that systemd passed to this process
 * @handler: called for each descriptor with its name in the store; returns true to own the descriptor
 * @userdata: passed to @handler
 *
 * The other descriptors are closed and removed from the store. This destroys a device that no other process
 * holds.
 *
 * Return: how many descriptors were closed, or a negative errno of sd_listen_fds_with_names(3).
 */
int service_receive_descriptors(service_handler_t handler, void *userdata)
{
        _cleanup_(strv_freep) char **names = NULL;
        int n, n_closed = 0;

        n = sd_listen_fds_with_names(true, &names);
        if (n < 0)
                return n;

        for (int i = 0; i < n; i++) {
                if (handler(userdata, SD_LISTEN_FDS_START + i, names[i]))
                        continue;

                close(SD_LISTEN_FDS_START + i);
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", names[i]);
                n_closed++;
        }

        return n_closed;
}

/**
 * service_store_device() - add the device to systemd's descriptor store
 * @fd: the device, which stays the caller's
 *
 * From then on a restart, a crash or a kill of this process does not destroy the device; a stop of the unit
 * does.
 *
 * Return: 1, 0 if systemd did not start this process, or a negative errno of sd_pid_notify_with_fds(3).
 */
int service_store_device(int fd)
{
        return sd_pid_notify_with_fds(0, false, "FDSTORE=1\nFDNAME=" SERVICE_FDNAME, &fd, 1);
}

/**
 * service_send_ready() - notify systemd that pings are answered, or that a reload is complete
 * @status: a line of text for `systemctl status`
 *
 * Clears the error of service_send_failed(), which `systemctl status` would still show as "Error:".
 *
 * Return: 1, 0 if systemd did not start this process, or a negative errno of sd_notify(3).
 */
int service_send_ready(const char *status)
{
        return sd_notifyf(0, "READY=1\nSTATUS=%s\nERRNO=0", status);
}

/**
 * service_send_reloading() - notify systemd that a reload begins; service_send_ready() ends it
 *
 * systemd 253 and later, with Type=notify-reload, compare the time with that of their SIGHUP.
 */
void service_send_reloading(void)
{
        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_usec());
}

/* A notification that would have to wait for systemd would delay SIGTERM, so it is not sent. */
static bool systemd_has_space(void)
{
        const char *path = getenv("NOTIFY_SOCKET");

        return !path || receiver_has_space(path);
}

/**
 * service_send_status() - update the line of text in `systemctl status`, unless that would have to wait
 * @status: the line
 *
 * Return: false if it was not sent and the caller should try again later.
 */
bool service_send_status(const char *status)
{
        if (!systemd_has_space())
                return false;

        (void) sd_notifyf(0, "STATUS=%s", status);
        return true;
}

/**
 * service_send_watchdog() - answer the watchdog, unless that would have to wait
 */
void service_send_watchdog(void)
{
        if (systemd_has_space())
                (void) sd_notify(0, "WATCHDOG=1");
}

/**
 * service_send_stopping() - notify systemd that the daemon stops, unless that would have to wait
 */
void service_send_stopping(void)
{
        if (systemd_has_space())
                (void) sd_notify(0, "STOPPING=1");
}

/**
 * service_send_failed() - notify systemd of the reason of a failure, unless that would have to wait
 * @status: a line of text for `systemctl status`; what follows a newline is not sent
 * @error: a negative errno, or 0
 */
void service_send_failed(const char *status, int error)
{
        if (systemd_has_space())
                (void) sd_notifyf(0, "STATUS=%.*s\nERRNO=%d", (int) strcspn(status, "\n"), status, -error);
}
