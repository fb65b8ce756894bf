/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a ping to the device would find, by what the kernel answers now, and the entries about it. */

#include "daemon/device-state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cause.h"
#include "common/util.h"
#include "daemon/routing.h"
#include "net/address.h"
#include "net/link.h"
#include "net/netlink.h"

/* Addresses of the device that are read; those that tunecho set are among the first. */
#define ADDRESSES_MAX 64

static bool unrouted_equal(const struct device_unrouted *a, const struct device_unrouted *b)
{
        return address_equal(&a->address, &b->address) && a->route.error == b->route.error &&
               a->route.type == b->route.type && a->route.oif == b->route.oif;
}

/**
 * device_condition_equal() - check whether two conditions have the same entries
 * @a: one
 * @b: the other
 */
bool device_condition_equal(const struct device_condition *a, const struct device_condition *b)
{
        if (a->state != b->state || a->n_missing != b->n_missing ||
            a->ipv6_off != b->ipv6_off || a->n_unrouted != b->n_unrouted)
                return false;
        if (a->n_missing > 0 && !address_equal(&a->missing, &b->missing))
                return false;

        for (size_t i = 0; i < a->n_unrouted; i++)
                if (!unrouted_equal(&a->unrouted[i], &b->unrouted[i]))
                        return false;

        return true;
}

static bool has_address(const struct link_address_info *addresses, int n, const struct address *address)
{
        for (int i = 0; i < n; i++)
                if (address_equal(&addresses[i].address.local, address))
                        return true;

        return false;
}

/* Notes the addresses of the settings that the device does not have. Returns whether there is one. */
static bool find_missing(struct device_condition *condition, struct netlink *netlink,
                         const struct config *config, const struct link_info *link)
{
        struct link_address_info addresses[ADDRESSES_MAX];
        int n;

        n = link_addresses_get(netlink, link->index, addresses, ARRAY_SIZE(addresses));
        if (n < 0)
                return false;

        for (size_t i = 0; i < config->n_addresses; i++) {
                const struct address *address = &config->addresses[i].prefix.address;

                if (!has_address(addresses, n, address) && condition->n_missing++ == 0)
                        condition->missing = *address;
        }
        if (condition->n_missing == 0)
                return false;

        condition->state = STATE_NO_ADDRESS;
        condition->ipv6_off = condition->missing.family == AF_INET6 && !link->has_ipv6;
        return true;
}

/* Notes the addresses to ping that are not routed into the device. */
static void find_unrouted(struct device_condition *condition, struct netlink *netlink,
                          const struct config *config, const struct link_info *link)
{
        static const int families[] = { AF_INET, AF_INET6 };

        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                struct address address = routing_address_to_ping(config, families[i]);
                struct route route;

                if (address.family == AF_UNSPEC || routing_is_into(netlink, link->index, &address, &route))
                        continue;

                condition->state = STATE_NOT_ROUTED;
                condition->unrouted[condition->n_unrouted++] = (struct device_unrouted) {
                        .address = address,
                        .route = route,
                };
        }
}

/**
 * device_condition_find() - find out what a ping to the device would find
 * @ret_condition: set to it
 * @netlink: the transport
 * @config: the settings
 * @link: the link of the device
 * @here: whether it is in this network namespace
 */
void device_condition_find(struct device_condition *ret_condition, struct netlink *netlink,
                           const struct config *config, const struct link_info *link, bool here)
{
        struct device_condition condition = { .state = STATE_RUNNING };

        if (!here)
                condition.state = STATE_MOVED;
        else if (!link->up)
                condition.state = STATE_DOWN;
        else if (!config->configure || !find_missing(&condition, netlink, config, link))
                find_unrouted(&condition, netlink, config, link);

        *ret_condition = condition;
}

static void report_missing(const struct device_condition *condition, const struct link_info *link,
                           const struct journal *journal)
{
        const char *name = link->name, *instance = journal->interface;
        char address[PREFIX_TEXT_SIZE], more[40] = "";
        struct journal_fields fields = { 0 };

        (void) address_text(address, &condition->missing);
        if (condition->n_missing > 1)
                (void) snprintf(more, sizeof(more), " and %zu more", condition->n_missing - 1);
        journal_add(&fields, "TUNECHO_CAUSE=%s", condition->ipv6_off ? "ipv6-off" : "no-address");
        journal_add(&fields, "TUNECHO_ADDRESS=%s", address);
        if (condition->ipv6_off)
                journal_send(journal, MESSAGE_ADDRESS_LOST, &fields, 0,
                             "'%s' is without its address %s%s, as IPv6 is switched off there; try: sysctl "
                             "-w net/ipv6/conf/%s/disable_ipv6=0; systemctl reload tunecho@%s",
                             name, address, more, name, instance);
        else
                journal_send(journal, MESSAGE_ADDRESS_LOST, &fields, 0,
                             "'%s' is without its address %s%s; try: systemctl reload tunecho@%s", name,
                             address, more, instance);
}

static void report_unrouted(const struct device_unrouted *unrouted, const struct link_info *link,
                            struct netlink *netlink, const struct journal *journal)
{
        const struct cause_answers answers = {
                .route = unrouted->route,
                .destination = unrouted->route,
                .device = link->index,
        };
        enum cause cause = cause_find(&answers);
        char address[PREFIX_TEXT_SIZE], text[256], remedy[256];
        struct journal_fields fields = { 0 };
        struct link_info out = { 0 };
        struct cause_names names;

        if (unrouted->route.oif > 0)
                (void) link_get(netlink, unrouted->route.oif, NULL, &out);
        names = (struct cause_names) {
                .family = unrouted->address.family,
                .source = "",
                .destination = address_text(address, &unrouted->address),
                .device = link->name,
                .in = "",
                .out = out.name,
        };
        journal_add(&fields, "TUNECHO_CAUSE=%s", cause_name(cause));
        journal_add(&fields, "TUNECHO_ADDRESS=%s", address);
        journal_add(&fields, "TUNECHO_REMEDY=%s", cause_remedy(remedy, sizeof(remedy), cause, &names));
        journal_send(journal, MESSAGE_NOT_ROUTED, &fields, 0, "%s; try: %s",
                     cause_text(text, sizeof(text), cause, &names), remedy);
}

/* Those that the condition before had are reported already. */
static void report_all_unrouted(const struct device_condition *condition,
                                const struct device_condition *before, const struct link_info *link,
                                struct netlink *netlink, const struct journal *journal)
{
        for (size_t i = 0; i < condition->n_unrouted; i++) {
                bool reported = false;

                for (size_t j = 0; j < before->n_unrouted; j++)
                        reported = reported || unrouted_equal(&condition->unrouted[i], &before->unrouted[j]);
                if (!reported)
                        report_unrouted(&condition->unrouted[i], link, netlink, journal);
        }
}

/**
 * device_condition_report() - write the entry for a condition of the device that is new
 * @condition: the condition
 * @before: the one before
 * @link: the link of the device
 * @netlink: the transport
 * @journal: where to report
 */
void device_condition_report(const struct device_condition *condition, const struct device_condition *before,
                             const struct link_info *link, struct netlink *netlink,
                             const struct journal *journal)
{
        const char *name = link->name;

        switch (condition->state) {
        case STATE_DOWN:
                journal_send(journal, MESSAGE_DEVICE_DOWN, NULL, 0,
                             "'%s' is down; try: ip link set dev %s up",
                             name, name);
                break;
        case STATE_MOVED:
                journal_send(journal, MESSAGE_DEVICE_MOVED, NULL, 0,
                             "'%s' is not in this network namespace, and answers where it is; to move it "
                             "back: ip -n NAMESPACE link set dev %s netns %d",
                             name, name, getpid());
                break;
        case STATE_NO_ADDRESS:
                report_missing(condition, link, journal);
                break;
        case STATE_NOT_ROUTED:
                report_all_unrouted(condition, before, link, netlink, journal);
                break;
        default:
                journal_send(journal, MESSAGE_DEVICE_RUNNING, NULL, 0,
                             "'%s' is up again, with its addresses and routes", name);
                break;
        }
}

/**
 * device_condition_notice() - describe a condition for `systemctl status`
 * @condition: the condition
 * @text: set to the description, "" if the device is running
 *
 * Return: @text.
 */
const char *device_condition_notice(const struct device_condition *condition,
                                    char text[static DEVICE_NOTICE_SIZE])
{
        char address[PREFIX_TEXT_SIZE];

        text[0] = '\0';
        if (condition->state == STATE_DOWN)
                (void) snprintf(text, DEVICE_NOTICE_SIZE, "Down");
        else if (condition->state == STATE_MOVED)
                (void) snprintf(text, DEVICE_NOTICE_SIZE, "In another network namespace");
        else if (condition->state == STATE_NO_ADDRESS)
                (void) snprintf(text, DEVICE_NOTICE_SIZE, "Without its address %s",
                                address_text(address, &condition->missing));
        else if (condition->state == STATE_NOT_ROUTED)
                (void) snprintf(text, DEVICE_NOTICE_SIZE, "No route into it for %s",
                                address_text(address, &condition->unrouted[0].address));

        return text;
}
