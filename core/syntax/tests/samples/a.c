/* A queue. */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdio.h>

#define LONGEST 60
/* The larger one. */
#define MAX(a, b) \
  ((a) > (b) ? (a) : (b))

struct job {
  int id;
  void (*done)(struct job *);
};

typedef struct queue {
  struct job *jobs;
} queue_t;

typedef int (*compare_fn)(const void *, const void *);

enum color { RED, GREEN };

static const char *names[] = {
  "a",
};

int queue_open(const char *path, int flags);

/** Takes one. */
static struct job *
queue_lease(queue_t *q, int n)
{
  int local = 3;
  return q->jobs + n + local;
}

int (*handler)(int) = NULL;

#ifdef X
void only_x(void) {
  return;
}
#endif

#endif
