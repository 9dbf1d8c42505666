/* The networks are computed by the server that the page is from. */
const engine = {
  async ask(address, body) {
    const response = await fetch(address, body === undefined ? {} : { method: "POST", body });
    if (response.ok) return response;
    throw new Error((await response.json().catch(() => ({}))).error || `the server answers ${response.status}`);
  },
  async open(network) {
    return (await this.ask(`live/${network}`)).json();
  },
  async look(network, pixels, exact) {
    return (await this.ask(`live/${network}/pixels?exact=${exact}`, pixels)).arrayBuffer();
  },
  /* The picture's file; before what the network makes of it come the pixels that it reads. */
  async picture(network, file, exact) {
    return (await this.ask(`live/${network}/picture?exact=${exact}`, file)).arrayBuffer();
  },
  /* While the pen moves all numbers would be too many. */
  always: false,
};
