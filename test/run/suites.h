/* Where cases come from. All return false after a message when something is malformed. */
#ifndef SUITES_H
#define SUITES_H

#include "case.h"

/* All golden scripts in and below folder; names are relative to root. */
bool golden_collect(CaseList *list, const char *root, const char *folder);

/* All lines of folder/observed.tsv. */
bool observed_collect(CaseList *list, const char *folder);

/* All lines of folder/errors.tsv. */
bool errors_collect(CaseList *list, const char *folder);

/* All scripts in folder, with what the peer printed. */
bool peer_collect(CaseList *list, const char *folder);

#endif
