#include "terminal_style.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>

static bool wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return (no_color == NULL || no_color[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

static size_t columns_of(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0) {
        return TERMINAL_DEFAULT_COLUMNS;
    }
    return max_u64(TERMINAL_LEAST_COLUMNS, min_u64(size.ws_col, TERMINAL_MOST_COLUMNS));
}

struct terminal_style terminal_style_detect(FILE *stream)
{
    bool is_terminal = isatty(fileno(stream)) == 1;

    (void)setlocale(LC_CTYPE, "");
    return (struct terminal_style){
        .columns = is_terminal ? columns_of(fileno(stream)) : TERMINAL_DEFAULT_COLUMNS,
        .is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .has_color = is_terminal && wants_color(),
    };
}

void terminal_put_color(FILE *stream, const struct terminal_style *style, enum terminal_color color)
{
    static const char *const codes[] = {
        [COLOR_NONE] = "\x1b[0m",  [COLOR_BOLD] = "\x1b[1m",     [COLOR_DIM] = "\x1b[2m",
        [COLOR_GOOD] = "\x1b[32m", [COLOR_WARNING] = "\x1b[33m", [COLOR_ACCENT] = "\x1b[36m",
    };

    if (style->has_color) {
        (void)fputs(codes[color], stream);
    }
}

/* The ASCII character that stands for the one that text begins with. */
static char likeness(const char *text)
{
    static const struct {
        const char *text;
        char ascii;
    } known[] = {
        {"µ", 'u'}, {"·", '-'}, {"…", '.'}, {"─", '-'}, {"━", '-'}, {"│", '|'}, {"┼", '+'},
        {"┴", '+'}, {"├", '|'}, {"┤", '|'}, {"└", '+'}, {"▁", '.'}, {"▂", ':'}, {"▃", ':'},
        {"▄", '='}, {"▅", '='}, {"▆", '#'}, {"▇", '#'}, {"█", '#'}, {"▏", '.'}, {"▎", '.'},
        {"▍", ':'}, {"▌", '='}, {"▋", '='}, {"▊", '#'}, {"▉", '#'}, {"▲", '^'}, {"×", 'x'},
        {"–", '-'}, {"→", '>'}, {"≤", '<'}, {"≥", '>'}, {"●", '*'},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (strncmp(text, known[i].text, strlen(known[i].text)) == 0) {
            return known[i].ascii;
        }
    }
    return '?';
}

static bool continues_character(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

void terminal_put(FILE *stream, const struct terminal_style *style, const char *text)
{
    if (style->is_utf8) {
        (void)fputs(text, stream);
        return;
    }
    for (; *text != '\0'; text++) {
        if ((uint8_t)*text < 0x80) {
            (void)fputc(*text, stream);
        } else if (!continues_character(*text)) {
            (void)fputc(likeness(text), stream);
        }
    }
}
