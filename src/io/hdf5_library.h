/* libhdf5, as its headers declare it; for the files hdf5*.c.
 *
 * The library is not made for several threads: whoever calls it holds the lock of hdf5_begin. */
#ifndef HDF5_LIBRARY_H
#define HDF5_LIBRARY_H

#include "io/io_impl.h"

typedef int64_t Hid;              /* hid_t: negative is none */
typedef unsigned long long Hsize; /* hsize_t */

typedef struct Hdf5Group { /* H5G_info_t */
    int storage;
    Hsize links;
    int64_t max_order;
    bool mounted;
} Hdf5Group;

typedef struct Hdf5Error { /* H5E_error2_t */
    Hid class, major, minor;
    unsigned line;
    const char *function, *file, *text;
} Hdf5Error;

enum {
    HDF5_READ_ONLY = 0,
    HDF5_TRUNCATE = 2,
    HDF5_ALL = 0, /* H5S_ALL, H5P_DEFAULT, H5E_DEFAULT */
    HDF5_BY_NAME = 0,
    HDF5_BY_CREATION = 1,
    HDF5_ASCENDING = 0,
    HDF5_TRACKED = 1 | 2,
    HDF5_IS_GROUP = 2, /* H5I_type_t */
    HDF5_IS_DATASET = 5,
    HDF5_CHUNKED = 2, /* H5D_layout_t; compact and contiguous before it */
    HDF5_INTEGER = 0, /* H5T_class_t */
    HDF5_FLOAT = 1,
    HDF5_STRING = 3,
    HDF5_ENUM = 8,
    HDF5_BIG_ENDIAN = 1,
    HDF5_UTF8 = 1,
    HDF5_SPACE_PAD = 2,
    HDF5_DEEPEST = 0 /* H5E_WALK_UPWARD: from where the error happened */
};

#define HDF5_NOWHERE (~(Hsize)0)

typedef struct Hdf5 {
    int (*open)(void);
    int (*set_auto)(Hid stack, void *function, void *data);
    int (*walk)(Hid stack, int direction, int (*visit)(unsigned, const Hdf5Error *, void *),
                void *data);
    Hid (*file_open)(const char *name, unsigned flags, Hid access);
    Hid (*file_create)(const char *name, unsigned flags, Hid creation, Hid access);
    int (*file_close)(Hid file);
    Hid (*object_open)(Hid place, const char *name, Hid access);
    int (*object_close)(Hid object);
    int (*object_type)(Hid object);
    int (*group_info)(Hid group, Hdf5Group *info);
    ssize_t (*link_name)(Hid place, const char *group, int index, int order, Hsize n, char *name,
                         size_t size, Hid access);
    Hid (*data_create)(Hid place, const char *name, Hid type, Hid space, Hid link, Hid creation,
                       Hid access);
    Hsize (*data_offset)(Hid data); /* HDF5_NOWHERE: not in one piece */
    Hsize (*data_stored)(Hid data); /* bytes in the file */
    Hid (*data_creation)(Hid data);
    Hid (*data_space)(Hid data);
    Hid (*data_type)(Hid data);
    int (*data_read)(Hid data, Hid type, Hid memory, Hid file, Hid transfer, void *to);
    int (*data_chunk)(Hid data, Hid transfer, const Hsize *at, uint32_t *skipped, void *to);
    int (*data_write)(Hid data, Hid type, Hid memory, Hid file, Hid transfer, const void *from);
    int (*vlen_reclaim)(Hid type, Hid space, Hid transfer, void *cells);
    Hid (*space_new)(int dims, const Hsize *shape, const Hsize *most);
    int (*space_dims)(Hid space);
    int (*space_shape)(Hid space, Hsize *shape, Hsize *most);
    int (*space_select)(Hid space, int operation, const Hsize *start, const Hsize *stride,
                        const Hsize *count, const Hsize *block);
    int (*space_close)(Hid space);
    int (*type_class)(Hid type);
    int (*type_equal)(Hid a, Hid b);
    size_t (*type_size)(Hid type);
    int (*type_sign)(Hid type);
    int (*type_order)(Hid type);
    size_t (*type_precision)(Hid type);
    int (*type_fields)(Hid type, size_t *sign, size_t *exponent_at, size_t *exponent,
                       size_t *fraction_at, size_t *fraction);
    int (*type_pad)(Hid type);
    int (*type_charset)(Hid type);
    int (*type_is_variable)(Hid type);
    Hid (*type_copy)(Hid type);
    Hid (*type_enum)(Hid base);
    int (*type_insert)(Hid type, const char *name, const void *value);
    int (*type_set_size)(Hid type, size_t size);
    int (*type_set_charset)(Hid type, int charset);
    int (*type_close)(Hid type);
    int (*attribute_exists)(Hid object, const char *name);
    Hid (*attribute_open)(Hid object, const char *name, Hid access);
    Hid (*attribute_new)(Hid object, const char *name, Hid type, Hid space, Hid creation,
                         Hid access);
    Hid (*attribute_space)(Hid attribute);
    int (*attribute_read)(Hid attribute, Hid type, void *to);
    int (*attribute_write)(Hid attribute, Hid type, const void *from);
    int (*attribute_close)(Hid attribute);
    Hid (*list_new)(Hid class);
    int (*list_close)(Hid list);
    int (*list_make_groups)(Hid list, unsigned yes);
    int (*list_track)(Hid list, unsigned order);
    int (*list_times)(Hid list, bool yes);
    int (*list_layout)(Hid list);
    int (*list_chunk)(Hid list, int dims, Hsize *shape);
    int (*list_filters)(Hid list);
    int (*list_align)(Hid list, Hsize from, Hsize to);
    int (*list_core)(Hid list, size_t step, bool keep);
    int (*list_image)(Hid list, void *data, size_t size);
    int (*scale_set)(Hid data, const char *name);
    int (*scale_attach)(Hid data, Hid scale, unsigned dim);
    int (*scale_is)(Hid data);
    ssize_t (*scale_name)(Hid scale, char *name, size_t size);
    const Hid *double_type, *float_type, *int64_type, *int32_type, *byte_type, *flag_type,
        *text_type;                                       /* those of files, little-endian */
    const Hid *memory_double;                             /* that of this machine */
    const Hid *of_files, *of_links, *of_data, *of_access; /* classes of property lists */
} Hdf5;

/* Load the library if needed and lock it; NULL, not locked, with the error recorded. */
const Hdf5 *hdf5_begin(Ctx *ctx);
void hdf5_end(void);
/* ML_EFORMAT (or another code) with what the library says about the call that failed. */
ml_status hdf5_fail(Ctx *ctx, const Hdf5 *h, ml_status code, const char *path, const char *what);

#endif
