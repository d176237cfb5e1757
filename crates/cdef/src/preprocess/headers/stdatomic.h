#pragma once
typedef _Bool atomic_bool;
typedef int atomic_int;
typedef unsigned atomic_uint;
typedef long atomic_long;
typedef size_t atomic_size_t;
typedef uintptr_t atomic_uintptr_t;
