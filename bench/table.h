/* SPDX-License-Identifier: MIT */

/* Where rows go: the table on stdout, and build/bench.csv. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

/* Opens the csv file and prints the table's head. Rows may then come from child processes too. */
void table_begin(void);

/* Prints the table's foot and closes the file. */
void table_end(void);

#endif
