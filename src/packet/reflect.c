/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * This folder turns an echo request into its reply, and records the requests as ping sessions. It is pure: no
 * file in it makes a system call, reads a clock, logs, allocates memory per packet or uses a global variable.
 * Protocol constants and header layouts are used here alone.
 *
 * reflect() maps one packet to one verdict. A packet is modified only when all checks have passed, and the
 * reply is built in place: its payload is neither copied nor changed.
 */

#include "packet/reflect.h"

#include "packet/ipv4.h"
#include "packet/ipv6.h"

/**
 * reflect_needs_time() - check whether the reply to a packet depends on the time of day
 * @packet: the packet, of any alignment
 * @size: its size in bytes, as read(2) returned it
 *
 * Return: whether it is IPv4 with options, one of which may be a Timestamp.
 */
bool reflect_needs_time(const void *packet, size_t size)
{
        const uint8_t *bytes = packet;

        return size > 0 && bytes[0] > 0x45 && bytes[0] <= 0x4f;
}

/**
 * reflect() - check a packet and turn it into its reply
 * @policy: which requests are answered, and how
 * @time_of_day: milliseconds since midnight UT; used only if reflect_needs_time() is true
 * @packet: the packet, of any alignment; modified only if there is a reply
 * @size: its size in bytes, as read(2) returned it
 * @ret_reflection: the parsed header fields, and the position of the reply within @packet
 *
 * The reply is never longer than the packet, and its payload is never modified.
 *
 * Return: the verdict; there is a reply if verdict_is_reply() is true for it.
 */
enum verdict reflect(const struct policy *policy, uint32_t time_of_day, void *packet, size_t size,
                     struct reflection *ret_reflection)
{
        uint8_t *bytes = packet;

        *ret_reflection = (struct reflection) { 0 };

        if (size == 0)
                return VERDICT_MALFORMED;

        switch (bytes[0] >> 4) {
        case 4:
                return reflect_ipv4(policy, time_of_day, bytes, size, ret_reflection);
        case 6:
                return reflect_ipv6(policy, bytes, size, ret_reflection);
        default:
                return VERDICT_MALFORMED;
        }
}
