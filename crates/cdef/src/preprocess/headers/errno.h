#pragma once
#define EDOM 18
#define EILSEQ 25
#define ERANGE 68
#define ENOENT 44
#define EINVAL 28
#define ENOMEM 48
