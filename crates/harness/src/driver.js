// Carries out the commands that script.rs makes of a script, with the WebAssembly namespace of the engine it runs in.
"use strict";

/**
 * Runs the commands in order. What came of each: its line, and null or what went wrong.
 *
 * @param {object[]} commands
 * @param {string} helperModule in hexadecimal: gives the functions of "spectest" their types, and tells kinds of
 *   references
 * @param {{ messages: boolean, oneIsland: boolean }} engine whether the messages of traps are this project's, to be
 *   compared, and whether any instance takes the objects of any other
 */
function runScript(commands, helperModule, { messages, oneIsland }) {
    const { Module, Instance, Memory, Table, Global, CompileError, LinkError, RuntimeError } = WebAssembly;
    const instances = [];
    const wrappers = [];
    const definitions = [];
    const hostValues = new Map();
    const registered = new Map();

    const compile = (hex) => new Module(Uint8Array.fromHex(hex));
    const imports = new Proxy({}, { get: (_, name) => registered.get(name) ?? {} });

    /** The host's value of a number: always the same object. */
    const hostValue = (number) => {
        if (!hostValues.has(number)) hostValues.set(number, { number });
        return hostValues.get(number);
    };

    const fromBits32 = (bits) => new Float32Array(Uint32Array.of(bits).buffer)[0];
    const fromBits64 = (bits) => new Float64Array(BigUint64Array.of(BigInt(bits)).buffer)[0];

    const argument = ([type, value]) => {
        switch (type) {
            case "i32": return value;
            case "i64": return BigInt(value);
            case "f32": return fromBits32(value);
            case "f64": return fromBits64(value);
            case "ref.null": return null;
            case "ref.host": return hostValue(value);
        }
        throw new Error(`no such argument: ${type}`);
    };

    /** A struct or an array: an object that scripts can do nothing with. */
    const isOpaque = (value) =>
        typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null && !Object.isExtensible(value);
    const isI31 = (value) => typeof value === "number" && value === (value << 1) >> 1;
    /** Asks WebAssembly, where it takes the value: objects belong to their island. */
    const isKind = (kind, value) => typeof value === "object" && !oneIsland || helpers.exports[kind](value) === 1;
    const isFunction = (value) => typeof value === "function" && Object.hasOwn(value, "length") && /^\d+$/.test(value.name);

    const matches = (actual, [type, expected]) => {
        switch (type) {
            case "i32": return actual === expected;
            case "i64": return actual === BigInt(expected);
            case "f32": return Object.is(actual, fromBits32(expected));
            case "f64": return Object.is(actual, fromBits64(expected));
            case "ref.null": return actual === null;
            case "ref.host": return actual === hostValue(expected);
            case "ref.extern": return actual !== null && actual !== undefined;
            case "ref.func": return isFunction(actual);
            case "ref.any": return actual !== null && actual !== undefined;
            case "ref.eq": return (isI31(actual) || isOpaque(actual)) && isKind("is_eq", actual);
            case "ref.i31": return isI31(actual) && isKind("is_i31", actual);
            case "ref.array": return isOpaque(actual) && isKind("is_array", actual);
            case "ref.struct": return isOpaque(actual) && isKind("is_struct", actual);
            case "either": return expected.some((one) => matches(actual, one));
        }
        throw new Error(`no such result: ${type}`);
    };

    const show = (value) => {
        if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
        if (Object.is(value, -0)) return "-0";
        if (typeof value === "bigint") return `${value}n`;
        if (value instanceof Error) return `${value.name}: ${value.message}`;
        if (typeof value === "object" && value !== null) return "number" in value ? `host value ${value.number}` : "an object";
        return String(value);
    };

    const found = (list, number) => {
        if (list[number] === undefined) throw new Error("what this needs was not made");
        return list[number];
    };

    /** Carries out an action: a list of its results. */
    const act = (action) => {
        if ("module" in action) {
            new Instance(compile(action.module), imports);
            return [];
        }
        const instance = "wrapper" in action ? found(wrappers, action.wrapper) : found(instances, action.instance);
        if ("global" in action) return [instance.exports[action.global].value];
        const result = instance.exports[action.function](...action.args.map(argument));
        if (result === undefined) return [];
        return Array.isArray(result) ? result : [result];
    };

    /** What the action throws. */
    const thrownBy = (action) => {
        let results;
        try {
            results = act(action);
        } catch (thrown) {
            return thrown;
        }
        throw new Error(`returns ${show(results)}`);
    };

    const expect = (holds, what) => {
        if (!holds) throw new Error(what);
    };

    const expectThrown = (thrown, classes, message) => {
        const names = classes.map((one) => one.name).join(" or ");
        expect(classes.some((one) => thrown instanceof one), `throws ${show(thrown)}, expected a ${names}`);
        if (message && messages) {
            expect(saysThat(thrown.message, message), `the message is "${thrown.message}", expected "${message}"`);
        }
    };

    const operations = {
        instantiate({ instance, module, definition }) {
            const compiled = module === undefined ? found(definitions, definition) : compile(module);
            instances[instance] = new Instance(compiled, imports);
        },
        define({ definition, module }) {
            definitions[definition] = compile(module);
        },
        wrap({ instance, module }) {
            wrappers[instance] = new Instance(compile(module), { "": found(instances, instance).exports });
        },
        register({ name, instance }) {
            registered.set(name, found(instances, instance).exports);
        },
        action({ action }) {
            act(action);
        },
        return({ action, expected }) {
            const results = act(action);
            const good = results.length === expected.length && results.every((result, at) => matches(result, expected[at]));
            expect(good, `returns ${show(results)}, expected ${JSON.stringify(expected)}`);
        },
        trap({ action, message }) {
            expectThrown(thrownBy(action), [RuntimeError], message);
        },
        exhaustion({ action }) {
            expectThrown(thrownBy(action), [RangeError], "Maximum call stack size exceeded");
        },
        exception({ action }) {
            expectThrown(thrownBy(action), [WebAssembly.Exception]);
        },
        refused({ module }) {
            expect(!WebAssembly.validate(Uint8Array.fromHex(module)), "validates");
            let compiled = false;
            try {
                compile(module);
                compiled = true;
            } catch (thrown) {
                expectThrown(thrown, [CompileError]);
            }
            expect(!compiled, "compiles");
        },
        unlinkable({ module }) {
            expectThrown(thrownBy({ module }), [LinkError]);
        },
    };

    /** Whether a message of this project says what the specification's suite calls `expected`. */
    function saysThat(actual, expected) {
        // The suite's own engine tells apart which null it was and numbers elements; a table's index out of bounds has
        // two names in it.
        if (/^null .*reference$/.test(expected)) return actual === "null reference";
        if (expected.startsWith("uninitialized")) return actual === "uninitialized element";
        if (expected.startsWith("undefined")) return actual === "out of bounds table access";
        return actual.startsWith(expected);
    }

    const helpers = new Instance(compile(helperModule), { js: { print() {} } });
    registered.set("spectest", {
        ...helpers.exports,
        global_i32: new Global({ value: "i32" }, 666),
        global_i64: new Global({ value: "i64" }, 666n),
        global_f32: new Global({ value: "f32" }, 666.6),
        global_f64: new Global({ value: "f64" }, 666.6),
        table: new Table({ element: "anyfunc", initial: 10, maximum: 20 }),
        table64: new Table({ address: "i64", element: "anyfunc", initial: 10n, maximum: 20n }),
        memory: new Memory({ initial: 1, maximum: 2 }),
        shared_memory: new Memory({ initial: 1, maximum: 2, shared: true }),
    });

    return commands.map((command) => {
        try {
            operations[command.op](command);
            return [command.line, null];
        } catch (thrown) {
            return [command.line, show(thrown)];
        }
    });
}
