#include "markdown_text.h"

#include "text_cell.h"
#include "utf8.h"

#include <string.h>

/* Backticks of a fence must be more or fewer than any run of them inside. */
static size_t longest_run(const char *text)
{
    size_t longest = 0;
    size_t run = 0;

    for (; *text != '\0'; text++) {
        run = *text == '`' ? run + 1 : 0;
        longest = max_u64(longest, run);
    }
    return longest;
}

void markdown_put_code(FILE *stream, const char *text)
{
    char safe[MARKDOWN_CODE_MAX_BYTES];
    size_t length = utf8_copy_for_terminal(safe, sizeof(safe), text, strlen(text));
    size_t fence = longest_run(safe) + 1;

    if (length == 0) {
        (void)fputs("(empty)", stream);
        return;
    }
    /* A space inside each fence is taken away again, so that the text may begin or end with a backtick or a space. */
    text_repeat(stream, "`", fence);
    (void)fputc(' ', stream);
    for (const char *at = safe; *at != '\0'; at++) {
        (void)fputs(*at == '|' ? "\\" : "", stream);
        (void)fputc(*at, stream);
    }
    (void)fputs(strlen(text) >= sizeof(safe) ? "… " : " ", stream);
    text_repeat(stream, "`", fence);
}
