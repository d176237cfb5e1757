// hello.wasm: a WASI command that shows what it was given.
//
//   hello [--stdin] [--read PATH] [--exit N] [--trap] [anything else]
//
// Prints its arguments, TOMBOLO_GREETING where the environment has it, one line of standard input, a file; then exits.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_file(const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    fflush(stdout);
    perror(path);
    return 1;
  }
  char chunk[512];
  for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;) fwrite(chunk, 1, got, stdout);
  fclose(file);
  return 0;
}

static void print_line_of_stdin(void) {
  char line[512];
  if (fgets(line, sizeof line, stdin) == NULL) {
    puts("stdin: end of file");
    return;
  }
  line[strcspn(line, "\n")] = 0;
  printf("stdin: %s\n", line);
}

int main(int argc, char **argv) {
  for (int i = 0; i < argc; ++i) printf("arg %d: %s\n", i, argv[i]);
  const char *greeting = getenv("TOMBOLO_GREETING");
  if (greeting != NULL) printf("greeting: %s\n", greeting);

  int status = 0;
  for (int i = 1; i < argc; ++i) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--stdin") == 0) {
      print_line_of_stdin();
    } else if (strcmp(argv[i], "--read") == 0) {
      if (print_file(value) != 0) status = 1;
      ++i;
    } else if (strcmp(argv[i], "--exit") == 0) {
      status = atoi(value);
      ++i;
    } else if (strcmp(argv[i], "--trap") == 0) {
      fflush(stdout);
      __builtin_trap();
    }
  }
  return status;
}
