/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The whole of the terminal. ncurses is in this file alone, which has one screen, as a process has. */

#include "client/screen.h"

/* Functions are functions, and no macros that are called like our own. */
#define NCURSES_NOMACROS

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#include "common/util.h"

/* Without colour, what matters stands out nevertheless. */
static const struct {
        attr_t attributes;
        short colour; /* and the number of its pair, less one */
} styles[] = {
        [PANEL_PLAIN] = { A_NORMAL, -1 },
        [PANEL_GOOD] = { A_BOLD, COLOR_GREEN },
        [PANEL_BAD] = { A_BOLD, COLOR_RED },
        [PANEL_GRAPH] = { A_NORMAL, COLOR_CYAN },
        [PANEL_HEADING] = { A_UNDERLINE, -1 },
        [PANEL_DROPPED] = { A_BOLD, COLOR_YELLOW },
};

static SCREEN *terminal;
static int row; /* the next one */

/* Of a terminal that can be written to anywhere; a printer, or what the database does not know, is none. */
static bool is_addressable(void)
{
        const char *cup;
        int result;

        if (!isatty(STDOUT_FILENO) || setupterm(NULL, STDOUT_FILENO, &result) != OK)
                return false;

        cup = tigetstr("cup");
        (void) del_curterm(cur_term);
        return cup && cup != (const char *) -1;
}

static void start_colours(void)
{
        const char *refused = getenv("NO_COLOR");

        if ((refused && refused[0] != '\0') || !has_colors() || start_color() == ERR ||
            use_default_colors() == ERR)
                return;

        for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
                (void) init_pair((short) (i + 1), styles[i].colour, -1);
}

/**
 * screen_open() - take the terminal over
 *
 * The caller has blocked SIGWINCH and tells screen_fit() of it, and the signals that end us.
 *
 * Return: 0, or -ENOTTY if standard output is no terminal that can be drawn upon.
 */
int screen_open(void)
{
        if (!is_addressable())
                return -ENOTTY;

        terminal = newterm(NULL, stdout, stdin);
        if (!terminal)
                return -ENOTTY;

        (void) cbreak();
        (void) noecho();
        (void) nodelay(stdscr, true);
        (void) curs_set(0);
        start_colours();
        return 0;
}

/**
 * screen_close() - leave the terminal as it was
 */
void screen_close(void)
{
        (void) endwin();
        delscreen(terminal);
        terminal = NULL;
}

static void put_line(void *userdata, enum panel_style style, const char *line)
{
        (void) userdata;

        /* The last row is the footer's. */
        if (row < LINES - 1) {
                (void) attr_set(styles[style].attributes, (short) (style + 1), NULL);
                (void) mvaddstr(row, 0, line);
        }
        row++;
}

/**
 * screen_begin() - begin to draw anew
 * @ret_panel: how to do so
 */
void screen_begin(struct panel *ret_panel)
{
        row = 0;
        (void) erase();
        *ret_panel = (struct panel) {
                .width = COLS,
                .unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
                .put = put_line,
        };
}

/**
 * screen_end() - show what was drawn
 */
void screen_end(void)
{
        int hidden = row - (LINES - 1);

        (void) attr_set(A_NORMAL, 0, NULL);
        (void) mvaddnstr(LINES - 1, 0, "q quits, space refreshes", COLS - 1);
        if (hidden > 0)
                (void) printw(", %d lines more than fit", hidden);
        (void) refresh();
}

/**
 * screen_fit() - take on the size that the terminal has now
 */
void screen_fit(void)
{
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
                (void) resizeterm(size.ws_row, size.ws_col);
}

/**
 * screen_read_keys() - read the keys that were pressed
 *
 * Return: what they ask for; leaving goes before anything else.
 */
enum screen_wish screen_read_keys(void)
{
        enum screen_wish wish = SCREEN_NOTHING;
        int key;

        while ((key = getch()) != ERR) {
                if (key == 'q' || key == 'Q')
                        return SCREEN_QUIT;
                if (key == ' ')
                        wish = SCREEN_REFRESH;
        }

        return wish;
}
