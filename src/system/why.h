/* why.h - this thread's last failure in words; the text behind mortal_why(). */
#ifndef SYSTEM_WHY_H
#define SYSTEM_WHY_H

/* Record why a call fails and return the negative errno that it returns, so that saying and failing are one step:
 *     return why(-EINVAL, "workers is %u: ...", n);
 * What failed, on what, why, what to do, in that order and in one line. */
int why(int negative_errno, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a call says that called another for its part: the same reason, by the name of the call that the caller knows. */
int why_as(const char *call, int negative_errno);

const char *why_text(void);
const char *why_reason(void); /* without the name of the call, with which it begins */

#endif
