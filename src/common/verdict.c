/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The table of the verdicts: a row has all names and texts of one. */

#include "tunecho/verdict.h"

#include <stddef.h>

#include "common/util.h"

static const struct {
        const char *name;  /* in messages, and the label of the metric */
        const char *field; /* of a journal entry */
        const char *meaning;
        const char *message_id; /* of drops, from systemd-id128 new, in the catalogue; NULL: no entry */
} verdicts[] = {
        [VERDICT_REPLY] = { "reply", "TUNECHO_REPLY", "echo requests that are answered", NULL },
        [VERDICT_REPLY_FRAGMENT] = { "reply-fragment", "TUNECHO_REPLY_FRAGMENT",
                                     "later fragments that are reflected", NULL },
        [VERDICT_MALFORMED] = { "malformed", "TUNECHO_MALFORMED",
                                "packets are truncated, or their headers are invalid",
                                "6126a045230d4914a5f276470e0a9fde" },
        [VERDICT_NOT_ICMP] = { "not-icmp", "TUNECHO_NOT_ICMP", "other traffic is routed into the device",
                               "fd5e4954d7444459bb743a0579a7b670" },
        [VERDICT_ICMP_ERROR] = { "icmp-error", "TUNECHO_ICMP_ERROR",
                                 "ICMP errors, such as destination unreachable, about packets sent here",
                                 "91a99abf526140238b8092ef8b8a1d06" },
        [VERDICT_HOUSEKEEPING] = { "housekeeping", "TUNECHO_HOUSEKEEPING",
                                   "router solicitations, neighbour discovery and MLD of the kernel", NULL },
        [VERDICT_NOT_ECHO] = { "not-echo", "TUNECHO_NOT_ECHO",
                               "ICMP messages other than echo requests, such as echo replies",
                               "389c95ecfa1f41d8946c88a5fb2cf15b" },
        [VERDICT_BAD_IP_CHECKSUM] = { "bad-ip-checksum", "TUNECHO_BAD_IP_CHECKSUM",
                                      "the checksum does not match the IPv4 header",
                                      "05e0d14f6b1b41438d51bc8ab9869096" },
        [VERDICT_BAD_ICMP_CHECKSUM] = { "bad-icmp-checksum", "TUNECHO_BAD_ICMP_CHECKSUM",
                                        "the checksum does not match the message: corruption, or checksum "
                                        "offload",
                                        "e925a0159da1464daa33b4c668929aa0" },
        [VERDICT_BAD_SOURCE] = { "bad-source", "TUNECHO_BAD_SOURCE",
                                 "no reply can be sent to the source address",
                                 "9a14ceddaf8c48e2b68bf7ec0251bfdb" },
        [VERDICT_BAD_DESTINATION] = { "bad-destination", "TUNECHO_BAD_DESTINATION",
                                      "the destination address is not valid for a host",
                                      "4216f270e91446d78a1f0dce4e21022a" },
        [VERDICT_NOT_OURS] = { "not-ours", "TUNECHO_NOT_OURS",
                               "Destination= does not contain the destination address",
                               "6043bdd7715748a096a504bae08427ac" },
        [VERDICT_GROUP_DESTINATION] = { "group-destination", "TUNECHO_GROUP_DESTINATION",
                                        "broadcast or multicast requests that the settings do not answer",
                                        "cb30706271b14473b854ea0b3a94ae59" },
        [VERDICT_SOURCE_ROUTE] = { "source-route", "TUNECHO_SOURCE_ROUTE",
                                   "source-routed packets are not answered",
                                   "be630877afa44629afab87bf9903b382" },
        [VERDICT_BAD_OPTION] = { "bad-option", "TUNECHO_BAD_OPTION",
                                 "an IP option is malformed, or requires hosts that do not know it to "
                                 "drop the packet",
                                 "8a4e1024c1e24e069e22a73b049f72c1" },
        [VERDICT_UNSUPPORTED] = { "unsupported", "TUNECHO_UNSUPPORTED",
                                  "extension headers inside a fragment, or more than 8 of them",
                                  "3198d72ee7e14df29f3629cb2e273366" },
};

_Static_assert(ARRAY_SIZE(verdicts) == _VERDICT_MAX, "every verdict needs its names");

/**
 * verdict_name() - get the name of a verdict
 * @verdict: the verdict
 *
 * Return: the name as in messages, metrics and the manual page.
 */
const char *verdict_name(enum verdict verdict)
{
        return verdicts[verdict].name;
}

/**
 * verdict_meaning() - get the explanation of a verdict
 * @verdict: the verdict
 *
 * Return: a clause that a log message ends with.
 */
const char *verdict_meaning(enum verdict verdict)
{
        return verdicts[verdict].meaning;
}

/**
 * verdict_field() - get the journal field of a verdict's counter
 * @verdict: the verdict
 *
 * Return: the field's name, without "=".
 */
const char *verdict_field(enum verdict verdict)
{
        return verdicts[verdict].field;
}

/**
 * verdict_message_id() - get the MESSAGE_ID= of the entries about drops with a verdict
 * @verdict: the verdict
 *
 * Return: the id in hexadecimal, or NULL if verdict_is_silent().
 */
const char *verdict_message_id(enum verdict verdict)
{
        return verdicts[verdict].message_id;
}

/**
 * verdict_is_reply() - check whether packets with a verdict are answered
 * @verdict: the verdict
 */
bool verdict_is_reply(enum verdict verdict)
{
        return verdict == VERDICT_REPLY || verdict == VERDICT_REPLY_FRAGMENT;
}

/**
 * verdict_is_silent() - check whether no journal entry counts the packets with a verdict
 * @verdict: the verdict
 *
 * Return: whether packets with the verdict are answered, or are dropped in normal operation, too.
 */
bool verdict_is_silent(enum verdict verdict)
{
        return verdicts[verdict].message_id == NULL;
}
