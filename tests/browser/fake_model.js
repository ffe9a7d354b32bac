// @ts-check
/** Stands in for the model that anywidget hands to render(): it records what the page sends. */
export class FakeModel {
  /** @param {Record<string, unknown>} traits @param {object} [manager] */
  constructor(traits, manager) {
    this.traits = { ...traits };
    this.widget_manager = manager;
    /** @type {{content: any, buffers: string[], bytes: Uint8Array[], fields: string[]}[]} */
    this.sent = [];
    /** @type {[name: string, callback: (...args: any[]) => void][]} */
    this.listeners = [];
    /** Set to make send() throw, as a disposed comm does. */
    this.disposed = false;
  }

  /** @param {string} name */
  get(name) {
    return this.traits[name];
  }

  /** @param {string} name @param {unknown} value */
  set(name, value) {
    this.traits[name] = value;
  }

  save_changes() {}

  /** @param {string} name @param {(...args: any[]) => void} callback */
  on(name, callback) {
    this.listeners.push([name, callback]);
  }

  /** @param {string} name @param {(...args: any[]) => void} callback */
  off(name, callback) {
    this.listeners = this.listeners.filter(([known, called]) => known !== name || called !== callback);
  }

  /** @param {unknown} content @param {unknown} _callbacks @param {Uint8Array[]} [buffers] */
  send(content, _callbacks, buffers = []) {
    if (this.disposed) throw new Error("Cannot send");
    const whole = buffers.every((bytes) => bytes.byteLength === bytes.buffer.byteLength);
    if (!whole) throw new RangeError("a view of a larger buffer");
    this.sent.push({
      content: structuredClone(content),
      buffers: buffers.map((bytes) => new TextDecoder().decode(bytes)),
      bytes: buffers,
      fields: [...document.querySelectorAll("input")].map((input) => input.value),
    });
  }

  /** What arrives from the kernel. @param {string} name @param {unknown[]} args */
  emit(name, ...args) {
    for (const [known, callback] of [...this.listeners]) if (known === name) callback(...args);
  }
}
