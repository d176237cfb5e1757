#pragma once
typedef struct __jmp_buf_tag { unsigned long long __jb[8]; unsigned long __fl; unsigned long __ss[32]; } jmp_buf[1];
typedef jmp_buf sigjmp_buf;
