/* Numbers and their text: exact parsing, shortest and fixed-point printing.
 *
 * Idea: text and bits must agree on every machine and in every locale, so nothing here asks the C
 * library. Parsing is exactly rounded; printing gives the shortest digits that parse back to the
 * same value, laid out as Double.toString does. All functions are pure, allocate nothing and know
 * no locale.
 */
#ifndef NUM_H
#define NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NUM_BUFFER = 32 /* enough for any num_print_double/float/int64 result and its NUL */
};

/* Parse the longest number that starts at s and stays before end: [sign] digits [. digits] [e
 * [sign] digits], or [sign] NaN or Infinity. No blanks are skipped. Returns the first char after
 * the number, or NULL if none starts here. Overflow gives an infinity, underflow a zero, both with
 * the sign of the text. */
const char *num_parse_double(const char *s, const char *end, double *out);

/* Parse [sign] digits that fill [s, end) completely and fit 64 bits. */
bool num_parse_int64(const char *s, const char *end, int64_t *out);

/* Shortest digits that round-trip, as Double.toString lays them out (5.0, 1.0E7, 4.9E-324, -0.0,
 * NaN, -Infinity). Each writes a NUL too and returns the length without it. */
size_t num_print_double(char buf[NUM_BUFFER], double v);
size_t num_print_float(char buf[NUM_BUFFER], float v);
size_t num_print_int64(char buf[NUM_BUFFER], int64_t v);

/* For messages: as num_print_double, but whole numbers without ".0".  Returns buf; NUM_SHOW brings
 * one that lasts to the end of the block. */
const char *num_show(char buf[NUM_BUFFER], double v);
#define NUM_SHOW(v) num_show((char[NUM_BUFFER]){0}, (v))

/* Exactly `decimals` fraction digits (negative counts as 0): those of the shortest form and zeros,
 * or when it has more, the exact binary value rounded half-even; a value below 1e-3 whose shortest
 * form is 5e-(decimals+1) prints as zero, -0.0 as zero without a sign. Writes at most size bytes
 * with the NUL (truncating if need be) and returns the full length, as snprintf does. */
size_t num_print_fixed(char *buf, size_t size, double v, int decimals);

#endif
