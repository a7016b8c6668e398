/* Loops over numbers of type T, for numbers.c. */
static void CONCAT(doubles_of_, NAME)(const char *from, size_t stride, int64_t n, double *to)
{
    T x;

    if (stride == sizeof x) { /* apart, so that it vectorizes */
        for (int64_t i = 0; i < n; i++) {
            memcpy(&x, from + (size_t)i * sizeof x, sizeof x);
            to[i] = (double)x;
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        memcpy(&x, from + (size_t)i * stride, sizeof x);
        to[i] = (double)x;
    }
}
#undef T
#undef NAME
