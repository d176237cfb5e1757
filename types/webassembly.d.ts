/** What this runtime's `WebAssembly` has beyond TypeScript's own declarations of it. */
declare namespace WebAssembly {
  /** The name of a value's type, as `type()` reports it. */
  type TypeName = string;

  interface FunctionType { parameters: TypeName[]; results: TypeName[] }
  interface MemoryType { minimum: number | bigint; maximum?: number | bigint; shared: boolean; address: 'i32' | 'i64' }
  interface TableType { element: TypeName; minimum: number | bigint; maximum?: number | bigint; address: 'i32' | 'i64' }
  interface GlobalType { value: TypeName; mutable: boolean }
  /** An import or export. Its `kind` says which of these its type is. */
  type ExternType = FunctionType | MemoryType | TableType | GlobalType | { parameters: TypeName[] };

  /** A function of a guest, or one made by `new WebAssembly.Function`. */
  interface ExportedFunction {
    (...args: any[]): any;
    type(): FunctionType;
  }
  /** A JavaScript function as a WebAssembly function, to be put into a table. (Type reflection proposal.) */
  var Function: {
    prototype: ExportedFunction;
    new(type: FunctionType, fn: (...args: any[]) => any): ExportedFunction;
  };

  interface Memory { type(): MemoryType }
  interface Table { type(): TableType }
  interface Global<T extends ValueType = ValueType> { type(): GlobalType }
  interface Tag { type(): { parameters: TypeName[] } }
  interface ModuleExportDescriptor { type: ExternType }
  interface ModuleImportDescriptor { type: ExternType }

  /** The instance behind the namespace object of a `.wasm` file that was imported. */
  function namespaceInstance(namespace: object): Instance;
}
