/* SPDX-License-Identifier: MIT */

/* ask URL: prints what it says. */
#include "world.h"

int main(int argc, char **argv)
{
    world_begin();
    verd_http_response *page = argc == 2 ? verd_http_get(argv[1], NULL) : NULL;
    char *text = page != NULL ? verd_http_response_body(page, 100, NULL) : NULL;
    return text == NULL || printf("%.*s\n", (int)strcspn(text, "\n"), text) < 0;
}
