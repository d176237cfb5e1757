// Instantiates random modules and calls all that they export, with the WebAssembly namespace of the engine it runs in.
"use strict";

/**
 * What can be seen of a module, a line for each step; the same on every engine, or one of them is wrong. Which module
 * it is and what it imports and exports comes from differential.rs. What follows an exhausted stack is left out: how
 * deep a stack is, engines may decide.
 */
function observe({ seed, module, imports, exports, throws }) {
    const lines = [];

    /** Mulberry32: the same numbers everywhere. */
    let state = seed;
    const random = () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return (mixed ^ (mixed >>> 14)) >>> 0;
    };
    const pick = (...choices) => choices[random() % choices.length];
    const value = (type) => {
        switch (type) {
            case "i32": return pick(0, 1, -1, 2147483647, -2147483648, random() | 0);
            case "i64": return pick(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), BigInt(random()) << BigInt(random() % 32));
            case "f32": return Math.fround(pick(0, -0, 1.5, -Infinity, Infinity, NaN, 3e38, 1e-45, random()));
            case "f64": return pick(0, -0, 1.5, -Infinity, Infinity, NaN, 1e308, 5e-324, random());
            case "(ref null extern)": return pick(null, undefined, "text", 7, lines);
            case "(ref extern)": return pick(undefined, "text", 7, lines);
            case "(ref null any)": case "(ref null eq)": case "(ref null i31)": return pick(null, 7, -1);
            case "(ref i31)": return pick(0, 7, -1);
            default: return null;
        }
    };

    const show = (value) => {
        if (value === lines) return "own object";
        if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
        if (Object.is(value, -0)) return "-0";
        if (typeof value === "bigint") return `${value}n`;
        // By its bits, since engines differ in how many digits they write.
        if (typeof value === "number" && !Number.isSafeInteger(value) && !Number.isNaN(value)) {
            return `float ${new BigUint64Array(Float64Array.of(value).buffer)[0].toString(16)}`;
        }
        if (typeof value === "function" || (typeof value === "object" && value !== null)) return `a ${typeof value}`;
        return String(value);
    };

    class Exhausted extends Error {}
    const classOf = (thrown) => {
        if (thrown instanceof RangeError && /call stack/.test(thrown.message)) throw new Exhausted();
        if (thrown instanceof WebAssembly.Exception) return "WebAssembly.Exception";
        return thrown instanceof Error ? thrown.name : show(thrown);
    };
    const attempt = (what, action) => {
        try {
            lines.push(`${what}: ${show(action())}`);
            return true;
        } catch (thrown) {
            lines.push(`${what}: throws ${classOf(thrown)}`);
            return false;
        }
    };

    const make = {
        function: ({ name, results }) => (...args) => {
            lines.push(`import ${name} gets ${show(args)}`);
            if (throws && random() % 4 === 0) throw pick("text", 7, null, lines, new WebAssembly.Exception(tag, []));
            const made = results.map(value);
            return results.length < 2 ? made[0] : made;
        },
        global: ({ value: type, mutable }) => new WebAssembly.Global({ value: type, mutable }, value(type)),
        memory: ({ descriptor }) => new WebAssembly.Memory(limits(descriptor)),
        table: ({ descriptor }) => new WebAssembly.Table({ ...limits(descriptor), element: descriptor.element }),
        tag: ({ parameters }) => parameters.length === 0 ? tag : new WebAssembly.Tag({ parameters }),
    };
    const tag = new WebAssembly.Tag({ parameters: [] });
    const limits = ({ address, initial, maximum }) => {
        const number = address === "i64" ? BigInt : Number;
        return { address, initial: number(initial), ...(maximum !== undefined && { maximum: number(maximum) }) };
    };

    const look = (instance) => {
        for (const { kind, name } of exports) {
            const item = instance.exports[name];
            if (kind === "global") attempt(`global ${name}`, () => item.value);
            if (kind === "table") attempt(`table ${name}`, () => [item.length, item.length > 0 && item.get(zeroOf(item))]);
            if (kind === "memory") attempt(`memory ${name}`, () => [item.buffer.byteLength, hash(item.buffer)]);
        }
    };
    const zeroOf = (table) => typeof table.length === "bigint" ? 0n : 0;
    const hash = (buffer) => new Uint32Array(buffer).reduce((sum, word) => (Math.imul(sum, 31) + word) | 0, 7);

    const run = () => {
        let compiled;
        attempt("compile", () => void (compiled = new WebAssembly.Module(Uint8Array.fromHex(module))));
        // Each function gets an instance, since a module that has used up its fuel does nothing more.
        for (const { name, params } of exports.filter(({ kind }) => kind === "function")) {
            let instance;
            const made = attempt("instantiate", () => {
                const given = {};
                for (const one of imports) (given[one.module] ??= {})[one.name] = make[one.kind](one);
                instance = new WebAssembly.Instance(compiled, given);
                return Object.keys(instance.exports);
            });
            if (!made) return;
            for (let round = 0; round < 2; round++) {
                attempt(`call ${name}`, () => instance.exports[name](...params.map(value)));
            }
            look(instance);
        }
    };

    try {
        run();
    } catch (thrown) {
        if (!(thrown instanceof Exhausted)) throw thrown;
        lines.push("exhausted");
    }
    return lines;
}
