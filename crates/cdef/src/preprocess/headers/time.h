#pragma once
#define NULL ((void *)0)
#define CLOCKS_PER_SEC 1000000000LL
typedef int clockid_t;
struct tm {
  int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
  int __tm_gmtoff;
  const char *__tm_zone;
  int __tm_nsec;
};
struct timespec { time_t tv_sec; long tv_nsec; };
