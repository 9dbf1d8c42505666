/* The networks are computed by the page itself: a WebAssembly module that speaks Typst's plugin protocol. */
const engine = {
  always: true,
  opened: [],
  async unpack(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  },
  async begin(data) {
    this.data = data;
    let result;
    const memory = (at, length) => new Uint8Array(this.exports.memory.buffer, at, length);
    const { instance } = await WebAssembly.instantiate(await this.unpack(data.module), {
      typst_env: {
        wasm_minimal_protocol_write_args_to_buffer: (at) => memory(at, this.given.length).set(this.given),
        wasm_minimal_protocol_send_result_to_host: (at, length) => (result = memory(at, length).slice()),
      },
    });
    this.exports = instance.exports;
    this.call = (name, ...parts) => {
      this.given = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
      parts.reduce((at, part) => (this.given.set(part, at), at + part.length), 0);
      const failed = this.exports[name](...parts.map((part) => part.length));
      if (failed) throw new Error(new TextDecoder().decode(result));
      return result;
    };
  },
  read(number, bytes) {
    this.opened[number] ??= JSON.parse(new TextDecoder().decode(this.call("open", new Uint8Array([number]), bytes)));
    return this.opened[number];
  },
  async open(network) {
    if (!this.exports) {
      this.begun ??= this.begin(data);
      /* One that failed may be begun again. */
      await this.begun.catch((error) => {
        this.begun = undefined;
        throw error;
      });
    }
    return this.opened[network] ?? this.read(network, await this.unpack(this.data.weights[network]));
  },
  look(network, pixels, exact) {
    return this.call("look", new Uint8Array([network, exact ? 1 : 0]), pixels).buffer;
  },
  /* Weights of one's own become another network of the page. */
  own(number, bytes) {
    return this.read(number, bytes);
  },
};
