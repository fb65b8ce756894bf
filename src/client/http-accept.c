/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The Accept field of a request (RFC 9110, section 12.5.1). */

#include "client/http.h"

#include <string.h>
#include <strings.h>

#define WEIGHT_MAX 1000U

enum specificity {
        ANY_TYPE = 1,
        ANY_SUBTYPE,
        TYPE,
        TYPE_AND_VERSION,
};

/* A media range: a type, and those of its parameters that matter here. */
struct range {
        char type[40];
        char version[16]; /* empty: any */
        unsigned weight;
};

static bool copy(char *target, size_t size, const char *text, size_t length)
{
        if (length >= size)
                return false;

        memcpy(target, text, length);
        target[length] = '\0';
        return true;
}

/* Remove blanks at either end. */
static void trim(const char **text, size_t *size)
{
        while (*size > 0 && (**text == ' ' || **text == '\t')) {
                ++*text;
                --*size;
        }
        while (*size > 0 && ((*text)[*size - 1] == ' ' || (*text)[*size - 1] == '\t'))
                --*size;
}

/* Size of the text before a delimiter that is not within a quoted string. */
static size_t find_delimiter(const char *text, size_t size, char delimiter)
{
        bool quoted = false;

        for (size_t i = 0; i < size; i++) {
                if (text[i] == '"')
                        quoted = !quoted;
                else if (quoted && text[i] == '\\')
                        i++;
                else if (!quoted && text[i] == delimiter)
                        return i;
        }

        return size;
}

/* A number from 0 to 1 with up to three decimals. */
static bool parse_weight(unsigned *ret_weight, const char *text, size_t size)
{
        unsigned weight, unit = WEIGHT_MAX;

        if (size == 0 || size > 5 || (text[0] != '0' && text[0] != '1') || (size > 1 && text[1] != '.'))
                return false;

        weight = text[0] == '1' ? WEIGHT_MAX : 0;
        for (size_t i = 2; i < size; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;

                unit /= 10;
                weight += unit * (unsigned) (text[i] - '0');
        }

        *ret_weight = weight;
        return weight <= WEIGHT_MAX;
}

static bool parse_parameter(struct range *range, const char *text, size_t size)
{
        size_t name = find_delimiter(text, size, '=');
        const char *value = text + name + 1;

        if (name == size)
                return false;

        size -= name + 1;
        if (name == 1 && (text[0] == 'q' || text[0] == 'Q'))
                return parse_weight(&range->weight, value, size);
        if (name != strlen("version") || strncasecmp(text, "version", name) != 0)
                return true;

        if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
                value++;
                size -= 2;
        }
        return copy(range->version, sizeof(range->version), value, size);
}

static bool parse_range(struct range *ret_range, const char *text, size_t size)
{
        size_t end = find_delimiter(text, size, ';');
        const char *type = text;
        size_t type_size = end;

        *ret_range = (struct range) { .weight = WEIGHT_MAX };
        trim(&type, &type_size);
        if (!copy(ret_range->type, sizeof(ret_range->type), type, type_size))
                return false;

        while (end < size) {
                const char *parameter = text + end + 1;
                size_t length = find_delimiter(parameter, size - end - 1, ';');

                end += length + 1;
                trim(&parameter, &length);
                if (length > 0 && !parse_parameter(ret_range, parameter, length))
                        return false;
        }

        return true;
}

static void add_range(struct http_accept *accept, const struct range *range)
{
        bool any_version = range->version[0] == '\0';
        unsigned specificity = 0;

        if (strcasecmp(range->type, "application/openmetrics-text") == 0) {
                if ((any_version || strcmp(range->version, "1.0.0") == 0) &&
                    range->weight > accept->openmetrics)
                        accept->openmetrics = range->weight;
                return;
        }

        if (strcasecmp(range->type, "text/plain") == 0 && any_version)
                specificity = TYPE;
        else if (strcasecmp(range->type, "text/plain") == 0 && strcmp(range->version, "0.0.4") == 0)
                specificity = TYPE_AND_VERSION;
        else if (strcasecmp(range->type, "text/*") == 0)
                specificity = ANY_SUBTYPE;
        else if (strcmp(range->type, "*/*") == 0)
                specificity = ANY_TYPE;

        if (specificity == 0 || specificity < accept->text_specificity)
                return;
        if (specificity > accept->text_specificity || range->weight > accept->text)
                accept->text = range->weight;
        accept->text_specificity = specificity;
}

/**
 * http_accept_parse() - parse the value of an Accept field
 * @accept: the weights, to which those of the value are added, as a request may have several such fields
 * @value: the value
 * @size: its size in bytes
 *
 * A media range that is malformed is ignored; so are the types that the metrics do not have. OpenMetrics
 * counts only where it is named, because any client of Prometheus can read text/plain.
 */
void http_accept_parse(struct http_accept *accept, const char *value, size_t size)
{
        while (size > 0) {
                size_t length = find_delimiter(value, size, ',');
                struct range range;

                if (parse_range(&range, value, length))
                        add_range(accept, &range);

                if (length < size)
                        length++;
                value += length;
                size -= length;
        }
}
