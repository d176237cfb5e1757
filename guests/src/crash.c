// Reads what is not there, below a function that is inlined: compiled with debug information (DWARF), which names the
// lines.

struct node {
    int value;
    const struct node *next;
};

static inline __attribute__((always_inline)) int value_of(const struct node *node) {
    return node->value + 1;
}

__attribute__((noinline)) static int sum(const struct node *node, int count) {
    int total = 0;
    for (int at = 0; at < count; at += 1) {
        total += value_of(node);
        node = node->next;
    }
    return total;
}

// Follows links until the last one, which leads out of memory.
__attribute__((export_name("crash"))) int crash(int count) {
    static const struct node last = {1, (const struct node *)0xfffffff0};
    static const struct node first = {2, &last};
    return sum(&first, count) + 1;
}
