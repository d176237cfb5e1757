#pragma once
typedef struct __pthread *pthread_t;
typedef struct { int __u[6]; } pthread_mutex_t;
