# Makes shapes.c of shapes.txt: for each type, functions that return what is known of it as constants, and one that takes
# and returns it.
function trimmed(text) { gsub(/^ +| +$/, "", text); return text }
BEGIN {
  FS = "|"
  print "#include <stddef.h>"
  print "#define SAY(name, value) __attribute__((export_name(name))) unsigned long long SAID(__COUNTER__) { return value; }"
  print "#define SAID(n) SAID_(n)"
  print "#define SAID_(n) said_##n(void)"
}
/^#/ || NF < 3 { next }
{
  name = trimmed($1); print trimmed($3)
  printf "SAY(\"size %s\", sizeof(%s))\nSAY(\"align %s\", _Alignof(%s))\n", name, name, name, name
  count = split(trimmed($2), members, " ")
  for (i = 1; i <= count; i++) {
    member = members[i]
    if (sub(/:$/, "", member)) {
      # The first 8 bytes of a zeroed one whose bit-field is all ones.
      printf "__attribute__((export_name(\"bits %s.%s\"))) unsigned long long bits_%s_%s(void) {\n", name, member, name, member
      printf "  union { %s of; unsigned long long bits; } both = { .bits = 0 };\n  both.of.%s = -1;\n  return both.bits;\n}\n", name, member
    } else {
      printf "SAY(\"offset %s.%s\", offsetof(%s, %s))\n", name, member, name, member
    }
  }
  printf "__attribute__((export_name(\"pass %s\"))) %s pass_%s(%s given) { return given; }\n", name, name, name, name
}
END {
  print "__attribute__((export_name(\"pass variadic\"))) int pass_variadic(int given, ...) { return given; }"
  print "__attribute__((export_name(\"pass many\"))) two_ints pass_many(char a, empty b, one_float c, two_ints d, double e) { return d; }"
  print "__attribute__((export_name(\"pass nothing\"))) void pass_nothing(void) { }"
}
