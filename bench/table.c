/* SPDX-License-Identifier: MIT */

/* The table is for people: its bar ends at the mark where the value is as good as its floor. The
 * csv file is for programs. Both get a row as soon as it is known. */
#include "table.h"

#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define CSV_DIRECTORY "build"
#define CSV_PATH CSV_DIRECTORY "/bench.csv"

/* The bar shows ratios up to 1.25; its mark stands at 1.00. */
#define BAR_MARK 20
#define BAR_CELLS 25

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

struct spread {
    double low, median, high; /* quartiles */
};

static FILE *csv;

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The value below which the given fraction lies, between neighbours where it falls between them. */
static double quantile(const double *sorted, int count, double fraction)
{
    double position = fraction * (count - 1);
    int below = (int)position, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

static struct spread spread_of(const double *samples, int count)
{
    double sorted[BENCH_PAIRS_MAX];
    memcpy(sorted, samples, sizeof *sorted * (size_t)count);
    qsort(sorted, (size_t)count, sizeof *sorted, compare);
    return (struct spread){quantile(sorted, count, 0.25), quantile(sorted, count, 0.5),
                           quantile(sorted, count, 0.75)};
}

/* Three digits that matter, and no decimals where they would be noise. */
static const char *number(double value, char text[32])
{
    int decimals = value < 10 ? 2 : value < 1000 ? 1 : 0;
    snprintf(text, 32, "%.*f", decimals, value);
    return text;
}

static const char *bar(double ratio, char text[BAR_CELLS + 1])
{
    int full = (int)(ratio * BAR_MARK + 0.5);
    for (int i = 0; i < BAR_CELLS; i++)
        text[i] = i < full ? '#' : i < BAR_MARK ? '.' : ' ';
    if (full <= BAR_MARK)
        text[BAR_MARK] = '|';
    if (full > BAR_CELLS)
        text[BAR_CELLS - 1] = '>';
    text[BAR_CELLS] = 0;
    return text;
}

static void print_machine(void)
{
    struct utsname system;
    char line[256] = "";
    FILE *info = fopen("/proc/cpuinfo", "re");
    while (info && fgets(line, sizeof line, info) && strncmp(line, "model name", 10) != 0)
        ;
    if (info)
        fclose(info);
    if (uname(&system) == 0)
        printf("%s %s, %s", system.sysname, system.release, system.machine);
    char *model = strncmp(line, "model name", 10) == 0 ? strchr(line, ':') : NULL;
    if (model)
        printf(",%.*s", (int)strcspn(model + 1, "\n"), model + 1);
    printf(", " COMPILER "\n");
}

void table_begin(void)
{
    if (mkdir(CSV_DIRECTORY, 0777) != 0 && errno != EEXIST)
        bench_fail(CSV_DIRECTORY);
    csv = fopen(CSV_PATH, "we");
    if (csv == NULL)
        bench_fail(CSV_PATH);
    fprintf(csv, "name,value,unit,floor,ratio\n");

    print_machine();
    if (bench_size(0, 1))
        printf("BENCH_QUICK is set: the slices are too short for numbers to be worth reading\n");
    printf("\n%-14s %8s  %-18s %-6s %8s  %-30s %5s  %-*s\n", "row", "median", "quartiles", "unit",
           "floor", "which is", "ratio", BAR_CELLS, "0                  1.00");
}

void table_end(void)
{
    printf("\nratio: floor / value, the median over neighbouring slices; 1.00 is as good as the "
           "floor, more is better\nthe same rows: " CSV_PATH "\n");
    fclose(csv);
}

void bench_report(const struct bench_samples *samples)
{
    if (!bench_wanted(samples->name) || samples->pairs == 0)
        return;

    double ratios[BENCH_PAIRS_MAX];
    for (int i = 0; i < samples->pairs; i++)
        ratios[i] = samples->value[i] > 0 ? samples->floor[i] / samples->value[i] : 0;
    struct spread value = spread_of(samples->value, samples->pairs);
    double floor = spread_of(samples->floor, samples->pairs).median;
    double ratio = spread_of(ratios, samples->pairs).median;

    char median_text[32], low[32], high[32], floor_text[32], quartiles[80], drawn[BAR_CELLS + 1];
    snprintf(quartiles, sizeof quartiles, "%s .. %s", number(value.low, low),
             number(value.high, high));
    printf("%-14s %8s  %-18s %-6s %8s  %-30s %5.2f  %s\n", samples->name,
           number(value.median, median_text), quartiles, samples->unit, number(floor, floor_text),
           samples->floor_name, ratio, bar(ratio, drawn));
    fprintf(csv, "%s,%.6g,%s,%.6g,%.4f\n", samples->name, value.median, samples->unit, floor,
            ratio);
    fflush(NULL); /* the process may end without this one's streams being flushed */
}

void bench_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("    ");
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
}
