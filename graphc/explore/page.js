// The explorer: figure, formulas and code of a model, and its passes step by step.

"use strict";

(() => {
  const data = (id) => JSON.parse(document.getElementById(id).textContent);
  const facts = data("facts");
  const { typeset } = Formulas(data("letters"));
  const $ = (id) => document.getElementById(id);
  const canvas = $("canvas"), main = document.querySelector("main");
  const code = $("code"), details = $("details"), status = $("status");

  // Make an element: its class, attributes and children; text is text, never markup.
  const make = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return made;
  };

  const ICONS = { // in a square of 16
    first: "M3 3v10M13 3 6 8l7 5z", back: "M11 3 4 8l7 5z", play: "M4.5 2.5 13 8l-8.5 5.5z",
    pause: "M5 3v10M11 3v10", forth: "M5 3l7 5-7 5z", last: "M13 3v10M3 3l7 5-7 5z",
    auto: "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12", dark: "M13 10A6 6 0 0 1 6 3a6 6 0 1 0 7 7z",
    light: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M3 13l1.2-1.2M11.8 4.2 13 3",
    paper: "M4.5 6V2h7v4M4.5 11.5H2V6h12v5.5h-2.5M4.5 9.5h7V14h-7z",
  };
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("class", `icon ${name}`);
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  };
  for (const button of document.querySelectorAll("button[data-icon]")) {
    button.append(icon(button.dataset.icon));
  }

  // --- what belongs to what -----------------------------------------------------------------

  const blocks = facts.blocks, variables = facts.variables;
  const variable = new Map(variables.map((v) => [v.name, v]));
  const things = new Map(); // what can be selected, by the id that it has in the figure
  blocks.forEach((block, i) => things.set(block.id, { kind: "block", i, name: block.name, fact: block }));
  variables.forEach((v, i) => things.set(v.id, { kind: "variable", i, name: v.name, fact: v }));

  // An element stands for a thing itself, for it mirrored in the backward pass, or for a part of an
  // open block.
  let figure, elements, edges, nodes, forwardParts, twins, edgesAt, whole;
  const standsFor = (g) => [g.dataset.id, g.dataset.twin, g.dataset.id.split(" / ")[0]]
    .find((id) => things.has(id));
  const put = (map, id, g) => map.has(id) ? map.get(id).push(g) : map.set(id, [g]);
  const adopt = (svg) => { // take a figure for the one that is shown
    figure = svg;
    elements = [...figure.querySelectorAll(".gc-group, .gc-node")];
    edges = [...figure.querySelectorAll(".gc-edge")];
    nodes = new Map(), forwardParts = new Map(), twins = new Map(), edgesAt = new Map();
    let first = true;
    for (const g of elements) {
      const id = standsFor(g);
      if (id === undefined) continue;
      if (g.dataset.id === id) nodes.set(id, g);
      put(g.dataset.twin ? twins : forwardParts, id, g);
      g.setAttribute("role", "button");
      if (!g.hasAttribute("aria-label")) {
        g.setAttribute("aria-label", g.querySelector("title")?.textContent || g.dataset.id);
      }
      g.setAttribute("aria-pressed", "false");
      g.setAttribute("tabindex", first ? "0" : "-1");
      first = false;
    }
    for (const g of edges) for (const end of [g.dataset.source, g.dataset.target]) put(edgesAt, end, g);
    if (figure.hasAttribute("width")) { // for the first time
      const { width, height } = figure.viewBox.baseVal;
      figure.dataset.size = JSON.stringify({ width, height });
      for (const name of ["width", "height"]) figure.removeAttribute(name);
      figure.setAttribute("preserveAspectRatio", "xMidYMid meet");
      figure.setAttribute("role", "group");
      figure.setAttribute("aria-label", `Diagram of ${facts.name}. Arrow keys move from element to element.`);
      figure.querySelector("title")?.remove();
    }
    whole = JSON.parse(figure.dataset.size);
  };
  adopt(canvas.querySelector("svg:not(#map)"));
  const shownAs = (id, back) => (back && twins.get(id)) || forwardParts.get(id) || [];
  const edgesOf = (id, back) => shownAs(id, back).flatMap((g) => edgesAt.get(g.dataset.id) || []);
  const maker = new Map(), readers = new Map(variables.map((v) => [v.name, []]));
  blocks.forEach((block, i) => {
    block.outputs.forEach((name) => maker.set(name, i));
    [...block.inputs, ...block.parameters].forEach((name) => readers.get(name)?.push(i));
  });

  const lines = []; // of the source: what they define, the uses they come from, in which direction
  for (const [number, [defines, ...origins]] of Object.entries(facts.lines)) {
    lines.push({ number: Number(number), defines, origins });
  }
  lines.sort((a, b) => a.number - b.number);
  const isBack = (line) => line.origins.length > 0 && line.origins[0][1] !== "forward";
  const ownLines = new Map(), partLines = new Map(); // by use and direction
  for (const line of lines) {
    const first = line.origins[0];
    if (first) put(ownLines, `${first[0]} ${first[1] !== "forward"}`, line);
    for (const at of new Set(line.origins.map(([use, rule]) => `${use} ${rule !== "forward"}`))) {
      put(partLines, at, line);
    }
  }
  // A block's own lines; where it has none in a direction, those in which it is spelled.
  const linesOfBlock = (i) => [false, true]
    .flatMap((back) => ownLines.get(`${i} ${back}`) || partLines.get(`${i} ${back}`) || [])
    .sort((a, b) => a.number - b.number);
  const linesOfVariable = (name) => lines.filter((line) =>
    line.defines.includes(name) || line.defines.includes(`d_${name}`));

  // --- formulas and copying -----------------------------------------------------------------

  const copyByHand = (text, button) => { // where the browser keeps its clipboard from a file
    const area = make("textarea", { class: "hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    button.focus({ preventScroll: true });
    return done;
  };
  const copyText = async (text, button) => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = copyByHand(text, button);
    }
    const told = done ? "copied" : "not allowed";
    say(done ? "Copied." : "The browser does not allow copying here.");
    if (button.textContent === told) return;
    const before = button.textContent;
    button.textContent = told;
    setTimeout(() => { button.textContent = before; }, 1200);
  };
  const copyButton = (what, text) => make("button", {
    class: "copy", type: "button", title: `Copy ${what}`, "aria-label": `Copy ${what}`,
    onclick: (event) => { event.stopPropagation(); copyText(text, event.currentTarget); },
  }, what);
  const say = (text) => { status.textContent = text; };

  const formula = (number, width, size) => {
    const [latex, text] = facts.formulas[number];
    const svg = typeset(latex, text, size, width);
    svg.style.minWidth = `${0.65 * svg.getAttribute("width")}px`; // smaller, one could not read it
    return svg;
  };
  const entries = (listed, width) => { // what has no formula is told once, however much it is
    const known = listed.filter(([number]) => number !== null), missing = listed.length - known.length;
    const told = known.length ? `No closed formula for ${missing} more` : "No closed formula";
    return [...known.map(([number, note]) => entry(number, note, width)), missing ? make("div", { class: "entry" },
      make("p", { class: "none" }, `${told}; the emitted code computes ${missing > 1 ? "them" : "it"}.`)) : null];
  };
  const entry = (number, note, width) => {
    const shape = note.startsWith("[") ? note : ["∈ ℝ", make("sup", {}, note)];
    return make("div", { class: "entry" },
      make("div", {}, formula(number, width), note ? make("span", { class: "shape" }, shape) : null),
      copyButton("LaTeX", facts.formulas[number][0]));
  };

  // --- the source ---------------------------------------------------------------------------

  const TOKENS = /(#.*$)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b(def|return|import|from|as|if|else|for|in|not|and|or|raise|class|with|is|lambda|None|True|False)\b|\b(\d[\d_.]*(?:e[+-]?\d+)?)\b|(\b[A-Za-z_]\w*(?=\())/gm;
  const coloured = (text, state) => {
    const parts = [];
    const quotes = text.split('"""').length - 1;
    if (state.inside || quotes) { // in a docstring
      if (quotes === 1) state.inside = !state.inside;
      return [make("span", { class: "s" }, text)];
    }
    let at = 0;
    for (const found of text.matchAll(TOKENS)) {
      const name = ["c", "s", "k", "n", "f"][found.slice(1).findIndex((part) => part !== undefined)];
      parts.push(text.slice(at, found.index), make("span", { class: name }, found[0]));
      at = found.index + found[0].length;
    }
    return [...parts, text.slice(at)];
  };
  const traced = new Map(lines.map((line) => [line.number, line]));
  // Lines are drawn with their colours and marks where they are looked at; elsewhere they are plain
  // text, which the browser's own search finds.
  const CHUNK = 100, rows = new Map(), chunks = [];
  const drawChunk = (chunk) => {
    if (chunk.drawn) return;
    chunk.drawn = true;
    const state = { inside: chunk.inside };
    chunk.element.classList.remove("plain");
    chunk.element.replaceChildren(...chunk.texts.map((text, k) => {
      const number = chunk.first + k, line = traced.get(number);
      const row = make("div", { class: line ? "row traced" : "row", "data-line": number },
        make("i", { "aria-hidden": "true" }, String(number)), make("code", {}, coloured(text, state)));
      rows.set(number, row);
      return row;
    }));
  };
  const rowOf = (number) => {
    drawChunk(chunks[Math.floor((number - 1) / CHUNK)]);
    return rows.get(number);
  };
  const showSource = () => {
    const seen = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) {
          drawChunk(chunks[Number(target.dataset.chunk)]);
          seen.unobserve(target);
        }
      }
    }, { root: code, rootMargin: "600px" });
    let inside = false;
    for (let first = 1; first <= facts.source.length; first += CHUNK) {
      const texts = facts.source.slice(first - 1, first - 1 + CHUNK);
      const element = make("div", { class: "chunk plain", "data-chunk": chunks.length }, texts.join("\n"));
      chunks.push({ first, texts, inside, element, drawn: false });
      if ((texts.join("\n").split('"""').length - 1) % 2) inside = !inside;
      code.append(element);
      seen.observe(element);
    }
    chunks.slice(0, 3).forEach(drawChunk);
  };
  const lineAt = (target) => {
    const row = target.closest?.(".row.traced");
    return row ? traced.get(Number(row.dataset.line)) : undefined;
  };
  const ownerOf = (line) => blocks[line.origins[0]?.[0]];
  code.addEventListener("click", (event) => {
    const line = lineAt(event.target);
    if (line && ownerOf(line) && !getSelection().toString()) {
      stopStepping();
      select(ownerOf(line).id, { keepSource: true });
    }
  });
  code.addEventListener("mouseover", (event) => {
    const line = lineAt(event.target);
    hint(line && ownerOf(line) ? ownerOf(line).id : null);
  });
  code.addEventListener("mouseleave", () => hint(null));
  // By the keyboard: arrows go from one computing line to the next, Enter selects its block.
  let cursor = null;
  const moveCursor = (line) => {
    if (cursor) rowOf(cursor.number).classList.remove("cursor");
    cursor = line;
    if (!line) return hint(null);
    const row = rowOf(line.number), owner = ownerOf(line);
    row.classList.add("cursor");
    row.scrollIntoView({ block: "nearest" });
    hint(owner ? owner.id : null);
    say(`Line ${line.number}${owner ? `, block ${owner.name}` : ""}: ${facts.source[line.number - 1].trim()}`);
  };
  code.addEventListener("keydown", (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way) {
      event.preventDefault();
      const mine = code.querySelector(".mine");
      const from = cursor ? cursor.number : mine ? Number(mine.dataset.line) - way : 0;
      const left = way > 0 ? lines.filter((line) => line.number > from) :
        lines.filter((line) => line.number < from).reverse();
      if (left.length) moveCursor(left[0]);
    } else if (event.key === "Enter" && cursor && ownerOf(cursor)) {
      stopStepping();
      select(ownerOf(cursor).id, { keepSource: true });
    }
  });
  code.addEventListener("blur", () => moveCursor(null));
  const codeOf = (chosen) => chosen.map((line) => facts.source[line.number - 1].trim()).join("\n");

  // --- selection ----------------------------------------------------------------------------

  let selected = null;
  let hinted = null;
  const hint = (id) => {
    if (id === hinted) return;
    nodes.get(hinted)?.classList.remove("hint");
    hinted = id;
    nodes.get(id)?.classList.add("hint");
  };
  const hintLines = (id) => {
    for (const row of code.querySelectorAll(".row.hint")) row.classList.remove("hint");
    for (const line of linesFor(id)) rowOf(line.number).classList.add("hint");
  };
  const linesFor = (id) => {
    const thing = things.get(id);
    if (!thing) return [];
    return thing.kind === "block" ? linesOfBlock(thing.i) : linesOfVariable(thing.name);
  };
  const markLines = (id, way, scroll) => {
    for (const row of code.querySelectorAll(".mine")) row.classList.remove("mine", "back");
    const found = linesFor(id);
    for (const line of found) {
      rowOf(line.number).classList.add("mine");
      if (isBack(line)) rowOf(line.number).classList.add("back");
    }
    const first = found.find((line) => isBack(line) === Boolean(way)) || found[0];
    if (scroll && first) {
      const row = rowOf(first.number);
      code.scrollTo({ top: row.offsetTop - code.offsetTop - code.clientHeight * 0.3, behavior: motion() });
    }
  };
  const motion = () => matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";

  const select = (id, { way, keepSource = false, focus = false, quiet = false } = {}) => {
    const thing = things.get(id);
    for (const g of figure.querySelectorAll(".selected")) {
      g.classList.remove("selected");
      g.setAttribute("aria-pressed", "false");
    }
    selected = thing ? id : null;
    if (!thing) {
      markLines(null);
      details.replaceChildren(overview());
      return;
    }
    for (const g of [...shownAs(id), ...(twins.get(id) || [])]) {
      g.classList.add("selected");
      g.setAttribute("aria-pressed", "true");
    }
    const g = shownAs(id, way)[0];
    if (g) {
      for (const other of elements) other.setAttribute("tabindex", "-1");
      g.setAttribute("tabindex", "0");
      if (focus) g.focus({ preventScroll: true });
      bringIntoView(g);
    }
    markLines(id, way, !keepSource);
    details.replaceChildren(describe(thing, way));
    details.scrollTop = 0;
    if (!quiet) say(`${thing.kind === "block" ? "Block" : "Variable"} ${thing.name} selected.`);
    if (!stepping()) history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  };

  // --- the details of a block and of a variable -----------------------------------------------

  const chip = (name, value) => make("li", {}, `${name} `, make("b", {}, value));
  const costText = (cost) => `${cost.operations} operations, ${cost.bytes} bytes`;
  const notesOf = (costs) => { // how what is counted in leading order is counted
    const notes = [...new Set(costs.flatMap((cost) => cost.notes))];
    return notes.length ? make("p", { class: "notes" }, "Leading orders: ", notes.join("; "), ". GVL: Golub and Van Loan, “Matrix Computations”, 4th edition.") : null;
  };
  const link = (id, text) => make("button", {
    class: "link", type: "button", onclick: () => {
      stopStepping();
      select(id);
      details.querySelector("h2").focus({ preventScroll: true }); // the link itself has gone
    },
  }, text);
  const variableLink = (name) => link(`variable ${name}`, name);
  const blockLink = (i) => link(blocks[i].id, blocks[i].name);
  const space = (text) => { // ℝ^(3×4), with its exponent raised
    const found = text.match(/^(.*?)\^(?:\((.*)\)|(.*))$/u);
    return found ? [found[1], make("sup", {}, found[2] ?? found[3])] : [text];
  };
  const spaceOf = (name) => {
    const v = variable.get(name);
    return make("span", { class: "place" }, ...(v ? [`${name} ∈ `, ...space(v.space)] : [name]));
  };
  const listed = (names) => names.flatMap((name, k) => [k ? ", " : null, spaceOf(name)]);
  const card = (title, kind, content, more = {}) => make("section", {
    class: `card ${kind} ${more.now ? "now" : ""}`,
  }, make("h3", {}, title, more.copy || null), content);
  const codeCard = (title, kind, chosen, more) => {
    const text = codeOf(chosen);
    const shown = text ? make("pre", { class: "code", tabindex: 0, "aria-label": title },
      text.split("\n").flatMap((line) => [...coloured(line, {}), "\n"])) :
      make("p", { class: "none" }, "No line of its own.");
    return card(title, kind, shown, { ...more, copy: text ? copyButton("code", text) : null });
  };
  const describe = (thing, way) => thing.kind === "block" ? describeBlock(thing, way) :
    describeVariable(thing);
  const paneWidth = () => Math.max(220, Math.min(details.clientWidth || 600, 1400));
  const cardWidth = () => { // of a formula in a card
    const pane = paneWidth();
    return (pane >= 620 ? (pane - 10) / 2 : pane) - 90;
  };
  const describeBlock = ({ i, fact: b }, way, width = cardWidth()) => {
    const state = b.partials.filter((p) => p.state), own = b.partials.filter((p) => !p.state);
    const back = b.partials.filter((p) => p.needed);
    const mine = linesOfBlock(i);
    const jacobians = (partials) => partials.length ?
      entries(partials.map((p) => [p.jacobian, p.shape]), width) :
      make("p", { class: "none" }, "None.");
    return make("div", {},
      make("div", { class: "title" },
        make("h2", { tabindex: -1 }, b.name),
        make("p", {}, b.function === b.kind ? b.kind : `${b.kind} ${b.function}`),
        make("p", { class: "mapping" }, listed(b.inputs), b.inputs.length ? " → " : "→ ", listed(b.outputs)),
        make("ul", { class: "chips" },
          chip("parameters", b.count),
          chip("forward", costText(b.cost[0])),
          chip("backward", costText(b.cost[1]))),
        notesOf(b.cost)),
      way === undefined ? null : numbersOf(b, way),
      columns([
        card("Forward", "forward", entries(b.forward.map((n) => [n, ""]), width), { now: way === false }),
        card("Jacobian by state", "forward", jacobians(state)),
        own.length ? card("Jacobian by parameters", "parameters", jacobians(own)) : null,
        codeCard("Emitted forward", "forward", mine.filter((line) => !isBack(line))),
      ], [
        card("Backward, cotangents as rows", "backward",
          back.length ? entries(back.map((p) => [p.backward, p.sizes]), width) :
            make("p", { class: "none" }, "No gradient passes here."), { now: way === true }),
        codeCard("Emitted backward", "backward", mine.filter(isBack)),
        card("Connected to", "", make("div", { class: "links" },
          [...b.inputs, ...b.parameters, ...b.outputs].map(variableLink))),
      ]),
      way === undefined ? numbersOf(b, way) : null);
  };
  const columns = (...stacks) => make("div", { class: "columns" },
    stacks.map((stack) => make("div", { class: "stack" }, stack)));
  const describeVariable = ({ name, fact: v }, width = cardWidth()) => {
    const made = maker.get(name), read = [...new Set(readers.get(name))];
    const parts = read.flatMap((i) => blocks[i].partials.filter((p) => p.wrt === name && p.needed)
      .map((p) => p.backward));
    const mine = linesOfVariable(name);
    return make("div", {},
      make("div", { class: "title" },
        make("h2", { tabindex: -1 }, v.name),
        typeset(v.label, v.name, 20),
        make("p", {}, `${v.role} variable in `, ...space(v.space), v.perSample ? ", one for each sample" : ""),
        make("ul", { class: "chips" }, chip("shape", v.shape), chip("numbers", v.size))),
      columns([
        made === undefined ? null : card("Made by", "forward", [make("div", { class: "links" }, blockLink(made)),
          ...entries(blocks[made].forward.filter((_, k) => blocks[made].outputs[k] === name).map((n) => [n, ""]), width)]),
        card("Read by", "forward", read.length ? make("div", { class: "links" }, read.map(blockLink)) :
          make("p", { class: "none" }, "Nothing.")),
      ], [
        parts.length ? card(parts.length > 1 ? "Gradient: the sum of these" : "Gradient", "backward",
          entries(parts.map((n) => [n, ""]), width)) : null,
        codeCard("Its lines", "", [...mine.filter((line) => !isBack(line)), ...mine.filter(isBack)]),
      ]),
      numbersOf({ inputs: [], parameters: [], outputs: [name] }));
  };
  const SIGNS = { // what the figure's elements mean, in a square of 24
    observed: ["M12 3a9 9 0 1 0 .01 0z", "given"], computed: ["M12 3a9 9 0 1 0 .01 0z", "computed"],
    latent: ["M12 3a9 9 0 1 0 .01 0z", "inferred"], discrete: ["M12 2a10 10 0 1 0 .01 0zM12 5a7 7 0 1 0 .01 0z", "takes whole numbers"],
    parameter: ["M12 3a9 9 0 1 0 .01 0z", "trained"],
    function: ["M2 5h13a7 7 0 0 1 0 14H2z", "computes, in the direction of its round side"],
    cost: ["M4 4h16v16H4z", "gives the number to minimise"],
  };
  const sign = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", `sign ${name}`);
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", SIGNS[name][0]);
    svg.append(path);
    return svg;
  };
  const legend = () => {
    const kinds = new Set([...variables.map((v) => v.kind === "real" ? v.role : "discrete"),
      ...blocks.map((b) => b.kind === "cost" ? "cost" : "function")]);
    return make("ul", { class: "legend" }, Object.keys(SIGNS).filter((name) => kinds.has(name))
      .map((name) => make("li", {}, sign(name), make("b", {}, name), ` ${SIGNS[name][1]}`)));
  };
  const key = (name) => make("kbd", {}, name);
  const welcome = () => make("ul", { class: "ways" },
    make("li", {}, make("b", {}, "Select"), " a block or a variable in the figure, or a line of the code: formulas, Jacobians, costs and code come together."),
    make("li", {}, make("b", {}, "Step"), " through the forward and the backward pass with ", key("→"), " and ", key("←"), "."),
    make("li", {}, make("b", {}, "Search"), " with ", key("/"), ", all keys with ", key("?"), "."),
    facts.values ? null : make("li", {}, "With ", make("code", {}, "--data sample.npz"), " the page shows the numbers of a sample as well."));
  const blockTable = () => make("div", { class: "scroll tall" }, make("table", { class: "blocks" },
    make("thead", {}, make("tr", {}, ["block", "function", "result", "parameters", "operations", "backward"]
      .map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, blocks.map((b, i) => make("tr", {},
      make("th", { scope: "row" }, blockLink(i)), make("td", {}, b.function),
      make("td", {}, b.outputs.map((name, k) => [k ? ", " : "", ...space(variable.get(name)?.space || "")]).flat()),
      make("td", {}, b.count), make("td", {}, b.cost[0].operations), make("td", {}, b.cost[1].operations))))));
  const overview = () => make("div", {},
    make("div", { class: "title" }, make("h2", { tabindex: -1 }, facts.name),
      make("p", {}, `${blocks.length} block${blocks.length === 1 ? "" : "s"}, emitted in ${facts.dtype}`),
      notesOf(facts.total)),
    make("div", { class: "stack" },
      card("What to do here", "", [welcome(), make("button", {
        class: "start", type: "button", onclick: () => { byHand(0); },
      }, icon("play"), "Step through the model")]),
      facts.values ? card(sample().title, "", [numbersList([
        ...facts.costs.flatMap((i) => blocks[i].outputs), ...variables.filter((v) => v.role === "observed" || v.role === "latent").map((v) => v.name),
      ].map((name) => [name, valueOf(name)])), facts.values.note ? make("small", { class: "none" }, facts.values.note) : null]) : null,
      card("Blocks", "forward", blockTable()),
      card("Variables", "", make("div", { class: "links" }, variables.filter((v) => v.role !== "parameter")
        .map((v) => variableLink(v.name)))),
      card("Parameters", "parameters", make("div", { class: "links" }, variables.filter((v) => v.role === "parameter")
        .map((v) => variableLink(v.name)))),
      card("Signs of the figure", "", legend())));

  // --- numbers of a sample --------------------------------------------------------------------

  const chooser = $("sample"); // where there are several
  let at = 0; // the sample whose numbers are shown
  const sample = () => facts.values.samples[at];
  const valueOf = (name) => sample().values[name] ?? facts.values.shared[name];
  const showSample = (next) => {
    const { length } = chooser.options;
    at = chooser.selectedIndex = (next + length) % length;
    const thing = things.get(selected), { scrollTop } = details;
    details.replaceChildren(thing ? describe(thing, steps[step]?.back) : overview());
    details.scrollTop = scrollTop;
    say(`${sample().title}.`);
  };
  if (chooser) chooser.onchange = () => showSample(chooser.selectedIndex);
  const otherSample = (by) => { if (chooser) showSample(at + by); };
  const shown = (value) => {
    if (typeof value === "string") return value; // nan, inf
    const size = Math.abs(value);
    return value === 0 ? "0" : size >= 1e5 || size < 1e-3 ? value.toExponential(2) :
      String(Number(value.toPrecision(4)));
  };
  const tint = (value, most) => {
    const part = most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
    const [r, g, b] = value < 0 ? [209, 53, 15] : [47, 75, 196];
    return `rgba(${r}, ${g}, ${b}, ${(0.55 * part).toFixed(3)})`;
  };
  const heat = (found) => { // 0 is no number at all, 255 one that is not finite
    const bytes = Uint8Array.from(atob(found.cells), (c) => c.charCodeAt(0));
    const [height, width] = found.grid;
    const picture = make("canvas", { role: "img", "aria-label": `Picture of ${found.shape} values between ${shown(found.least)} and ${shown(found.most)}` });
    picture.width = width;
    picture.height = height;
    const context = picture.getContext("2d"), image = context.createImageData(width, height);
    bytes.forEach((byte, k) => {
      const value = (byte - 128) / 126;
      const [r, g, b] = byte === 255 ? [240, 170, 0] : value < 0 ? [226, 74, 40] : [58, 92, 232];
      if (byte === 0) return image.data.set([128, 132, 145, 70], 4 * k);
      const alpha = byte === 255 ? 1 : Math.min(1, Math.abs(value));
      image.data.set([r, g, b, Math.round(255 * alpha)], 4 * k);
    });
    context.putImageData(image, 0, 0);
    const pixel = Math.max(1, Math.min(16, Math.floor(340 / Math.max(width, height))));
    picture.style.width = `${Math.max(width * pixel, 40)}px`;
    picture.style.height = `${Math.max(height * pixel, 12)}px`;
    return picture;
  };
  const scale = (found) => { // which colour is which number
    const most = found.scale;
    return make("div", { class: "scale", "aria-hidden": "true" }, shown(-most), make("i"), shown(most));
  };
  const statistics = (found) => {
    if (found.odd === found.count && found.odd) return make("small", {}, `none of ${found.count} is finite`);
    const odd = found.odd ? `${found.odd} of ${found.count} not finite, ` : "";
    return make("small", {}, `${odd}least ${shown(found.least)}, most ${shown(found.most)}, mean ${shown(found.mean)}, norm ${shown(found.norm)}`);
  };
  const numbers = (found) => {
    if (found.values) {
      const most = Math.max(0, ...found.values.flat().filter(Number.isFinite).map(Math.abs));
      const cell = (kind) => (value) => make(kind, typeof value === "string" ? { class: "odd" } :
        { style: `background:${tint(value, most)}` }, shown(value));
      return found.values.length === 1 ? make("div", { class: "vector" }, found.values[0].map(cell("span"))) :
        make("div", { class: "scroll" }, make("table", { class: "grid" }, found.values.map((row) => make("tr", {}, row.map(cell("td"))))));
    }
    const note = [found.tiles ? `${found.tiles} matrices side by side` : null,
      found.coarse ? `a pixel is the mean of ${found.coarse.join(" × ")} numbers` : null].filter(Boolean);
    return make("div", { class: "picture" }, heat(found), make("div", {}, scale(found),
      note.length ? make("small", {}, `${note.join("; ")}.`) : null));
  };
  const few = (found) => found.values && !found.odd && found.values.flat().length < 9;
  const single = (found) => found.values && found.values.flat().length === 1;
  const numbersList = (pairs) => make("ul", { class: "numbers" }, pairs.filter(([, found]) => found).map(([name, found, by]) => {
    const v = variable.get(name), label = by ? `∂L/∂${name}` : name;
    const latex = by ? `\\partial L/\\partial ${v.label}` : v.label;
    return make("li", {}, make("div", { class: "head" }, make("b", {}, make("span", { class: "hidden" }, label), bare(typeset(latex, label, 16))),
      single(found) ? make("span", { class: found.odd ? "one odd" : "one" }, shown(found.values[0][0])) :
        [make("span", { class: "shape" }, found.shape), few(found) ? null : statistics(found)]),
    single(found) ? null : numbers(found));
  }));
  const bare = (svg) => { // its text stands beside it
    svg.removeAttribute("role");
    svg.setAttribute("aria-hidden", "true");
    return svg;
  };
  const numbersOf = (b, way) => {
    if (!facts.values) return null;
    const names = [...b.inputs, ...b.parameters, ...b.outputs], { gradients } = sample();
    const pairs = [];
    if (way !== true) pairs.push(...names.map((name) => [name, valueOf(name)]));
    if (way !== false) pairs.push(...[...names].reverse().map((name) => [name, gradients[name], true]));
    return pairs.some(([, found]) => found) ?
      card(sample().title, way === true ? "backward" : "", numbersList(pairs)) : null;
  };

  // --- stepping: the teacher's mode ------------------------------------------------------------

  const steps = [...blocks.keys()].map((i) => ({ i, back: false }));
  for (const i of [...blocks.keys()].reverse()) {
    if (facts.costs.length && blocks[i].partials.some((p) => p.needed) && linesOfBlock(i).some(isBack)) {
      steps.push({ i, back: true });
    }
  }
  let step = -1, timer = null;
  const stepping = () => step >= 0;
  const slider = $("slider");
  slider.max = steps.length;

  const stopStepping = () => {
    if (stepping()) goTo(-1, { keep: true });
  };
  const goTo = (next, { keep = false } = {}) => {
    step = Math.max(-1, Math.min(steps.length - 1, next));
    slider.value = step + 1;
    $("back").disabled = $("first").disabled = step < 0;
    $("forth").disabled = $("last").disabled = step === steps.length - 1;
    if (step === steps.length - 1) pause();
    for (const g of [...elements, ...edges]) g.classList.remove("active", "done", "carried");
    canvas.classList.toggle("stepping", stepping());
    const current = steps[step];
    canvas.classList.toggle("backward", Boolean(current && current.back));
    main.classList.toggle("backward-step", Boolean(current && current.back));
    slider.setAttribute("aria-valuetext", current ? `${way(current)}, ${blocks[current.i].name}` : "not started");
    if (!current) {
      $("caption").replaceChildren(make("span", { class: "none" }, "Step through the forward and the backward pass, one block at a time."));
      pause();
      if (!keep) select(null);
      return;
    }
    const block = blocks[current.i];
    const mark = (found, name) => found.forEach((g) => g.classList.add(name));
    const around = (b) => [b.id, ...[...b.inputs, ...b.outputs, ...b.parameters].map(idOf)];
    for (const { i, back } of steps.slice(0, step)) {
      const b = blocks[i];
      around(b).forEach((id) => mark(shownAs(id, back), "done"));
      mark(edgesOf(b.id, back), "done");
      if (back) b.partials.filter((p) => p.needed).forEach((p) => mark(shownAs(idOf(p.wrt), back), "carried"));
    }
    around(block).forEach((id) => mark(shownAs(id, current.back), "active"));
    mark(edgesOf(block.id, current.back), "active");
    select(block.id, { way: current.back, quiet: true });
    const found = current.back ? block.partials.filter((p) => p.needed).map((p) => p.backward) : block.forward;
    $("caption").replaceChildren(make("span", { class: "way" }, way(current)), make("span", {}, block.name),
      ...captionOf(found.filter((n) => n !== null)));
    say(`${way(current)}: ${block.name}. ${found.filter((n) => n !== null).map((n) => facts.formulas[n][1]).join("; ")}`);
  };
  const captionOf = (found) => { // the formulas that one line holds; the others stand below
    const room = Math.max(320, shape().width - 560);
    const fitting = found.slice(0, 3).map((n) => formula(n, Infinity, 15))
      .filter((svg) => Number(svg.getAttribute("width")) < room && Number(svg.getAttribute("height")) < 60);
    return fitting.length || !found.length ? fitting : [make("span", { class: "none" }, "a long formula, below")];
  };
  const idOf = (name) => `variable ${name}`;
  const forwards = steps.filter((s) => !s.back).length;
  const way = (current) => {
    const at = steps.indexOf(current);
    return current.back ? `Backward ${at - forwards + 1} of ${steps.length - forwards}` :
      `Forward ${at + 1} of ${forwards}`;
  };
  const pause = () => {
    clearInterval(timer);
    timer = null;
    $("play").replaceChildren(icon("play"));
    $("play").setAttribute("aria-label", "Play");
  };
  const play = () => {
    if (timer) return pause();
    if (step === steps.length - 1) goTo(-1, { keep: true });
    goTo(step + 1);
    timer = setInterval(() => goTo(step + 1), 1800);
    $("play").replaceChildren(icon("pause"));
    $("play").setAttribute("aria-label", "Pause");
  };
  const byHand = (next) => { pause(); goTo(next); };
  $("first").onclick = () => byHand(-1);
  $("back").onclick = () => byHand(step - 1);
  $("forth").onclick = () => byHand(step + 1);
  $("last").onclick = () => byHand(steps.length - 1);
  $("play").onclick = play;
  slider.oninput = () => byHand(Number(slider.value) - 1);

  // --- pan and zoom ----------------------------------------------------------------------------

  let view = { x: 0, y: 0, width: whole.width, height: whole.height };
  const shape = () => canvas.getBoundingClientRect();
  const settle = () => { // what is closer than the whole figure stays within it, else it is centred
    for (const [from, size] of [["x", "width"], ["y", "height"]]) {
      const spare = whole[size] + 24 - view[size];
      view[from] = spare < 0 ? (whole[size] - view[size]) / 2 : Math.max(-12, Math.min(spare - 12, view[from]));
    }
  };
  const boxText = ({ x, y, width, height }) =>
    `${x.toFixed(2)} ${y.toFixed(2)} ${width.toFixed(2)} ${height.toFixed(2)}`;
  let fitted = false; // whether the whole figure fills its pane, and is to fill it when that changes
  const apply = () => {
    fitted = false;
    figure.setAttribute("viewBox", boxText(view));
    showMap();
  };

  // The whole figure in a corner, as long as no more than a part of it is in view.
  const map = $("map");
  const mapPart = (name, box) => {
    const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    part.setAttribute("class", name);
    for (const key of ["x", "y", "width", "height"]) part.setAttribute(key, box[key].toFixed(1));
    return part;
  };
  let frame = null;
  const drawMap = () => {
    map.setAttribute("viewBox", `-12 -12 ${whole.width + 24} ${whole.height + 24}`);
    const { height } = shape();
    const scale = Math.min(220 / whole.width, Math.min(260, height * 0.6) / whole.height);
    map.style.width = `${Math.max(24, whole.width * scale)}px`;
    map.style.height = `${Math.max(24, whole.height * scale)}px`;
    const parts = elements.filter((g) => g.matches(".gc-node")).map((g) => {
      const kind = ["gc-cost", "gc-function"].find((name) => g.classList.contains(name)) || "gc-variable";
      return mapPart(`${kind} ${g.dataset.twin ? "twin" : ""}`, g.getBBox());
    });
    frame = mapPart("frame", view);
    map.replaceChildren(...parts, frame); // all at once: a box asked for after a change costs a layout
  };
  const showMap = () => {
    const { width, height } = shape();
    const part = Math.min(1, view.width / whole.width) * Math.min(1, view.height / whole.height);
    const wanted = part < 0.7 && width > 480 && height > 150;
    map.classList.toggle("shown", wanted);
    if (!wanted) return;
    if (!frame) drawMap();
    for (const key of ["x", "y", "width", "height"]) frame.setAttribute(key, view[key].toFixed(1));
  };
  const lookAt = (event) => {
    const { left, top, width, height } = map.getBoundingClientRect();
    view.x = (event.clientX - left) / width * (whole.width + 24) - 12 - view.width / 2;
    view.y = (event.clientY - top) / height * (whole.height + 24) - 12 - view.height / 2;
    settle();
    apply();
  };
  map.addEventListener("pointerdown", (event) => {
    event.stopPropagation();
    map.setPointerCapture(event.pointerId);
    lookAt(event);
  });
  map.addEventListener("pointermove", (event) => {
    if (map.hasPointerCapture(event.pointerId)) lookAt(event);
  });
  for (const name of ["click", "dblclick"]) map.addEventListener(name, (event) => event.stopPropagation());
  const fit = () => {
    const { width, height } = shape();
    if (!width || !height) return;
    const scale = Math.min(width / (whole.width + 24), height / (whole.height + 24), 1.6);
    const w = width / scale, h = height / scale;
    view = { x: (whole.width - w) / 2, y: (whole.height - h) / 2, width: w, height: h };
    apply();
    fitted = true;
  };
  const READABLE = 0.55; // of the figure's own size
  const open = () => { // at a size that can be read, where the flow begins
    fit();
    const { width } = shape();
    if (width / view.width >= READABLE) return;
    const first = nodes.get(blocks[0]?.id);
    if (first) bringIntoView(first);
  };
  const zoom = (factor, cx = 0.5, cy = 0.5) => {
    const { width } = shape();
    const scale = Math.max(0.05, Math.min(8, (width / view.width) * factor));
    const w = width / scale, h = view.height * (w / view.width);
    view = { x: view.x + (view.width - w) * cx, y: view.y + (view.height - h) * cy, width: w, height: h };
    apply();
  };
  const bringIntoView = (g) => {
    const box = g.getBBox(), { width } = shape();
    const came = width && width / view.width < READABLE;
    if (fitted && !came) return;
    if (came) { // too small to read: come closer
      const scale = Math.max(READABLE + 0.05, Math.min(0.9, width / (whole.width + 24)));
      view.height *= width / scale / view.width;
      view.width = width / scale;
      view.x = box.x + box.width / 2 - view.width / 2;
      view.y = box.y + box.height / 2 - view.height / 2;
    }
    const pad = Math.max(30, Math.min(150, view.width * 0.14, view.height * 0.2));
    // Of what is larger than the view, where it begins is shown.
    if (box.x + box.width + pad > view.x + view.width) view.x = box.x + box.width + pad - view.width;
    if (box.y + box.height + pad > view.y + view.height) view.y = box.y + box.height + pad - view.height;
    if (box.x - pad < view.x) view.x = box.x - pad;
    if (box.y - pad < view.y) view.y = box.y - pad;
    if (came) settle();
    apply();
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { left, top, width, height } = shape();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)),
      (event.clientX - left) / width, (event.clientY - top) / height);
  }, { passive: false });
  const under = (event) => {
    const g = event.target.closest(".gc-node, .gc-group");
    return g ? standsFor(g) : undefined;
  };
  const pointers = new Map();
  let travelled = 0;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button")) return;
    pointers.set(event.pointerId, event);
    travelled = 0;
  });
  addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const { width, height, left, top } = shape();
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    if (pointers.size === 1) {
      travelled += Math.abs(dx) + Math.abs(dy);
      if (travelled > 4) {
        canvas.classList.add("dragging");
        view.x -= dx * view.width / width;
        view.y -= dy * view.height / height;
        apply();
      }
    } else {
      const other = [...pointers.values()].find((p) => p.pointerId !== event.pointerId);
      const was = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY);
      const is = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
      if (was > 0) zoom(is / was, ((event.clientX + other.clientX) / 2 - left) / width,
        ((event.clientY + other.clientY) / 2 - top) / height);
    }
    pointers.set(event.pointerId, event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      canvas.classList.remove("dragging");
    });
  }
  canvas.addEventListener("click", (event) => {
    if (travelled > 4) return;
    const id = under(event);
    if (id) {
      stopStepping();
      select(id, { focus: true });
    }
  });
  canvas.addEventListener("dblclick", (event) => {
    if (event.target.closest(".gc-node") || event.target.closest("button")) return;
    const { left, top, width, height } = shape();
    zoom(1.6, (event.clientX - left) / width, (event.clientY - top) / height);
  });
  canvas.addEventListener("mouseover", (event) => {
    hintLines(under(event));
  });
  canvas.addEventListener("mouseleave", () => hintLines(null));
  $("closer").onclick = () => zoom(1.3);
  $("further").onclick = () => zoom(1 / 1.3);
  $("fit").onclick = fit;

  // --- the keyboard in the figure: to the nearest element in the arrow's direction --------------

  const middle = (g) => {
    const box = g.getBBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const neighbour = (g, [dx, dy]) => {
    const [x, y] = middle(g);
    let best = null, least = Infinity;
    for (const other of elements) {
      if (other === g || !other.matches(".gc-node") || standsFor(other) === undefined) continue;
      const [ox, oy] = middle(other);
      const along = (ox - x) * dx + (oy - y) * dy, across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (along < 4) continue;
      const distance = along + 2.5 * across;
      if (distance < least) [best, least] = [other, distance];
    }
    return best;
  };
  canvas.addEventListener("keydown", (event) => {
    const g = event.target.closest(".gc-node, .gc-group");
    if (!g) return;
    if (event.key in ARROWS) {
      event.preventDefault();
      event.stopPropagation();
      const next = neighbour(g, ARROWS[event.key]);
      if (next) {
        stopStepping();
        select(standsFor(next), { way: Boolean(next.dataset.twin) || undefined });
        reach(next);
      }
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      event.stopPropagation();
      stopStepping();
      select(standsFor(g));
      reach(g);
    }
  });
  const reach = (g) => { // of several elements that stand for one thing, the focus stays at this one
    for (const other of elements) other.setAttribute("tabindex", "-1");
    g.setAttribute("tabindex", "0");
    g.focus({ preventScroll: true });
    bringIntoView(g);
  };

  // --- search ------------------------------------------------------------------------------------

  const search = $("search"), results = $("results");
  const fold = (text) => text.toLowerCase();
  let chosen = 0;
  const find = () => {
    const wanted = fold(search.value.trim());
    const found = wanted ? [...things.entries()].filter(([, t]) =>
      fold(`${t.name} ${t.fact.function || ""} ${t.fact.role || ""} ${t.fact.kind || ""}`).includes(wanted))
      .sort(([, a], [, b]) => fold(b.name).startsWith(wanted) - fold(a.name).startsWith(wanted)).slice(0, 30) : [];
    chosen = 0;
    results.replaceChildren(...found.map(([id, t], k) => make("li", {
      role: "option", id: `result${k}`, "data-id": id, "aria-selected": String(k === 0),
      onclick: () => take(id),
    }, t.name, make("small", {}, t.kind === "block" ? `block, ${t.fact.function}` : `variable, ${t.fact.role}`))));
    search.setAttribute("aria-expanded", String(found.length > 0));
    if (wanted) say(found.length ? `${found.length} found.` : "Nothing found.");
    if (wanted && !found.length) results.append(make("li", { class: "nothing", role: "presentation" }, "Nothing found."));
    highlight();
  };
  const highlight = () => {
    const options = [...results.querySelectorAll("[role=option]")];
    options.forEach((li, k) => li.setAttribute("aria-selected", String(k === chosen)));
    if (options.length) {
      search.setAttribute("aria-activedescendant", `result${chosen}`);
      options[chosen].scrollIntoView({ block: "nearest" });
    } else search.removeAttribute("aria-activedescendant");
  };
  const take = (id) => {
    search.value = "";
    find();
    stopStepping();
    select(id, { focus: true });
  };
  search.addEventListener("input", find);
  search.addEventListener("blur", () => setTimeout(() => results.replaceChildren(), 150));
  search.addEventListener("keydown", (event) => {
    const count = results.querySelectorAll('[role=option]').length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (count) chosen = (chosen + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      highlight();
    } else if (event.key === "Enter" && count) take(results.children[chosen].dataset.id);
    else if (event.key === "Escape") { search.value = ""; find(); search.blur(); }
  });

  // --- theme, help, print, keys --------------------------------------------------------------------

  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  let theme = root.dataset.start || "auto";
  const setTheme = (name) => {
    theme = name;
    root.dataset.theme = name === "auto" ? (system.matches ? "dark" : "light") : name;
    $("theme").setAttribute("aria-label", `Colours: ${name}`);
    $("theme").title = `Colours: ${name} (t)`;
    $("theme").replaceChildren(icon(name));
  };
  const nextTheme = () => setTheme({ auto: "light", light: "dark", dark: "auto" }[theme]);
  system.addEventListener("change", () => setTheme(theme));
  $("theme").onclick = nextTheme;
  const help = $("help");
  $("ask").onclick = () => help.showModal();
  $("paper").onclick = () => print();
  $("wrap").onclick = () => {
    const on = code.classList.toggle("wrap");
    $("wrap").setAttribute("aria-pressed", String(on));
  };
  $("copysource").onclick = (event) => copyText(facts.source.join("\n"), event.currentTarget);

  const paper = $("print");
  addEventListener("beforeprint", () => {
    root.dataset.theme = "light";
    chunks.forEach(drawChunk);
    figure.setAttribute("viewBox", `0 0 ${whole.width} ${whole.height}`);
    paper.replaceChildren(...blocks.map((b, i) => make("section", {}, describeBlock({ i, fact: b }, undefined, 300))));
  });
  addEventListener("afterprint", () => {
    paper.replaceChildren();
    setTheme(theme);
    figure.setAttribute("viewBox", boxText(view));
  });

  const KEYS = {
    "/": () => search.focus(), "?": () => help.showModal(), f: fit, t: nextTheme,
    o: () => swap(), n: () => otherSample(1), p: () => otherSample(-1), "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3),
    ArrowRight: () => byHand(step + 1), ArrowLeft: () => byHand(step - 1),
    PageDown: () => byHand(step + 1), PageUp: () => byHand(step - 1),
    Home: () => byHand(-1), End: () => byHand(steps.length - 1), " ": play,
    Escape: () => { byHand(-1); select(null); history.replaceState(null, "", " "); },
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target.closest("input[type=search]")) return;
    if (event.target.closest("select") && !["Escape", "n", "p"].includes(event.key)) return;
    const onButton = event.target.closest("button, input");
    if (onButton && (event.key === " " || event.target.type === "range")) return;
    if (event.target.closest("pre, #code, #details") && /^(Arrow|Page|Home|End| )/.test(event.key) &&
        event.target !== document.body && !onButton) return;
    const act = KEYS[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  // --- start ---------------------------------------------------------------------------------------

  // Beside the details or above them: where the figure is larger; where it is too large for both,
  // where it is wider. Beside a figure that stands, a window that is not wide has the details above
  // the source, whose lines are long.
  const LINE = 7.6, NEEDED = 24 * LINE; // pixels of a letter of the source, and of its narrowest
  const byUser = {}; // sizes that were set by hand
  const limited = (value, least, most) => Math.max(least, Math.min(most, value));
  const arrange = () => {
    const beside = { width: innerWidth * 0.31, height: innerHeight - 160 };
    const above = { width: innerWidth - 60, height: innerHeight * 0.46 - 60 };
    const whenFit = (pane) => Math.min(pane.width / whole.width, pane.height / whole.height, 1.25);
    const readable = Math.max(whenFit(beside), whenFit(above)) > 0.5;
    const tall = readable ? whenFit(beside) > 1.15 * whenFit(above) :
      Math.min(1, beside.width / whole.width) > Math.min(1, above.width / whole.width);
    const stacked = tall && innerWidth < 1360;
    main.classList.toggle("tall", tall);
    main.classList.toggle("stacked", stacked);
    const room = { width: innerWidth - 32, height: innerHeight - 80 };
    const longest = Math.max(...facts.source.slice(0, 5000).map((line) => line.length));
    const lineWidth = Math.min(longest, 96) * LINE + 80;
    let first, source;
    if (tall) {
      const scale = Math.min(1.25, beside.height / whole.height);
      first = limited((whole.width + 40) * scale, 250, room.width * (stacked ? 0.36 : 0.3));
      source = stacked ? room.height * 0.5 : limited(lineWidth, 380, (room.width - first) * 0.54);
    } else {
      const needed = (whole.height + 40) * limited(above.width / (whole.width + 24), READABLE + 0.05, 1.25) + 62;
      first = limited(needed, 190, innerHeight * 0.46);
      source = limited(lineWidth, 380, room.width * 0.5);
    }
    const across = tall ? room.width : room.height, other = stacked ? room.height : room.width;
    set("first", limited(byUser.first ?? first, NEEDED * 0.8, across - NEEDED * (tall ? 2 : 1)), across);
    set("source", limited(byUser.source ?? source, NEEDED * 0.8, other - NEEDED), other);
    $("rowsplit").setAttribute("aria-orientation", tall ? "vertical" : "horizontal");
    $("colsplit").setAttribute("aria-orientation", stacked ? "horizontal" : "vertical");
  };
  const sizes = {};
  const set = (name, size, of) => {
    sizes[name] = size;
    main.style.setProperty(`--${name}`, `${Math.round(size)}px`);
    const split = $(name === "first" ? "rowsplit" : "colsplit");
    split.setAttribute("aria-valuemin", "0");
    split.setAttribute("aria-valuemax", "100");
    split.setAttribute("aria-valuenow", String(Math.round(100 * size / of)));
  };
  for (const [id, name, sense] of [["rowsplit", "first", 1], ["colsplit", "source", -1]]) {
    const split = $(id);
    const along = (event) => split.getAttribute("aria-orientation") === "vertical" ? event.clientX : event.clientY;
    let from = null;
    const change = (size) => {
      byUser[name] = size;
      arrange();
    };
    split.addEventListener("pointerdown", (event) => {
      split.setPointerCapture(event.pointerId);
      from = { at: along(event), size: sizes[name] };
    });
    split.addEventListener("pointermove", (event) => {
      if (split.hasPointerCapture(event.pointerId)) change(from.size + sense * (along(event) - from.at));
    });
    split.addEventListener("dblclick", () => change(undefined));
    split.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      change(sizes[name] + sense * way * 24);
    });
  }
  // --- composite blocks, open and closed --------------------------------------------------------

  const unfold = $("unfold");
  let other = $("otherfigure")?.content.querySelector("svg");
  const nameUnfold = () => {
    const less = other.querySelectorAll(".gc-group, .gc-node").length;
    unfold.textContent = elements.length > less ? "Close blocks" : "Open blocks";
  };
  const swap = () => {
    if (!other) return;
    const before = figure, chosenBefore = selected;
    before.replaceWith(other);
    adopt(other);
    other = before;
    map.replaceChildren();
    frame = null;
    nameUnfold();
    arrange();
    open();
    if (stepping()) goTo(step);
    else select(chosenBefore, { keepSource: true, quiet: true });
    say(unfold.textContent === "Close blocks" ? "Blocks are open." : "Blocks are closed.");
  };
  if (other) {
    unfold.hidden = false;
    unfold.onclick = swap;
    nameUnfold();
  }

  const start = () => {
    setTheme(theme);
    arrange();
    showSource();
    open();
    new ResizeObserver(() => {
      const { width, height } = shape();
      if (width && height && fitted) fit();
      else if (width && height) {
        view.height = view.width * height / width;
        apply();
      }
    }).observe(canvas);
    let resize = null, width = innerWidth;
    addEventListener("resize", () => {
      clearTimeout(resize);
      resize = setTimeout(() => {
        arrange();
        if (innerWidth === width) return; // a phone's bar comes and goes: what is in view stays
        width = innerWidth;
        open();
        if (selected) select(selected, { keepSource: true, quiet: true, way: steps[step]?.back });
      }, 150);
    });
    const wanted = decodeURIComponent(location.hash.slice(1));
    goTo(-1, { keep: true });
    select(things.has(wanted) ? wanted : null, { quiet: true });
  };
  start();
})();
