// Sets formulas: LaTeX in, SVG out. Lengths are in thousandths of the size of the letters; the
// measures are those of TeX, from the table of the letters' own font.

"use strict";

const Formulas = (letters) => {
  const AXIS = 258, RULE = 60, THIN = 167, MEDIUM = 222, THICK = 278, SMALL = 0.7, TINY = 0.55;
  const CLASSES = {
    "bin": "+−×·⊙⊘⊗⊕∘⋆±∓∧∨∖", "rel": "=<>≤≥≠≈∼∈∉→↦", "open": "([{⟨⌊⌈", "close": ")]}⟩⌋⌉",
    "punct": ",;", "big": "∑∏",
  };
  const CLASS = {};
  for (const [name, signs] of Object.entries(CLASSES)) for (const c of signs) CLASS[c] = name;

  // --- reading ------------------------------------------------------------------------------

  const read = (latex) => {
    const tokens = latex.match(/\\[A-Za-z]+|\\.|[^\s]/gsu) || [];
    let at = 0;

    const STOPS = ["\\right", "&", "\\\\", "\\end"];
    const row = (end) => {
      const items = [];
      while (at < tokens.length && tokens[at] !== end && !STOPS.includes(tokens[at])) {
        items.push(scripted());
      }
      return { kind: "row", items: items.filter(Boolean) };
    };
    const scripted = () => {
      let base = atom();
      const scripts = {};
      while (["_", "^", "'"].includes(tokens[at])) {
        const mark = tokens[at++];
        const where = mark === "_" ? "sub" : "sup";
        const what = mark === "'" ? sign("′") : group();
        scripts[where] = scripts[where] ? { kind: "row", items: [scripts[where], what] } : what;
      }
      return Object.keys(scripts).length ? { kind: "scripts", base, ...scripts } : base;
    };
    const group = () => {
      if (tokens[at] !== "{") return atom() || { kind: "row", items: [] };
      at++;
      const inner = row("}");
      at++;
      return inner;
    };
    const raw = () => { // the characters of a group, as they stand
      if (tokens[at] !== "{") return tokens[at++] || "";
      let depth = 0, text = "";
      do {
        const token = tokens[at++];
        depth += token === "{" ? 1 : token === "}" ? -1 : 0;
        if (token !== "{" && token !== "}") text += token.replace(/^\\(?=[^A-Za-z])/, "");
      } while (depth > 0 && at < tokens.length);
      return text;
    };
    const delimiter = () => {
      const token = tokens[at++] || ".";
      if (token === ".") return "";
      if (token === "\\|") return "‖";
      return letters.commands[token.slice(1)] || token.replace("\\", "");
    };
    const atom = () => {
      const token = tokens[at++];
      if (token === undefined) return null;
      if (token === "{") { at--; return group(); }
      if (token === "}") return null;
      if (!token.startsWith("\\")) return sign(token === "-" ? "−" : token === "*" ? "∗" : token);
      const name = token.slice(1);
      if (name === "frac" || name === "dfrac" || name === "tfrac") {
        return { kind: "fraction", above: group(), below: group() };
      }
      if (name === "sqrt") return { kind: "root", inner: group() };
      if (name === "left") {
        const open = delimiter();
        const inner = row(null);
        at++;
        return { kind: "fence", open, inner, close: delimiter() };
      }
      if (name === "begin") {
        const kind = raw(), rows = [[]];
        while (at < tokens.length && tokens[at] !== "\\end") {
          rows[rows.length - 1].push(row(undefined));
          if (tokens[at] === "\\\\") rows.push([]);
          if (tokens[at] === "&" || tokens[at] === "\\\\") at++;
          else if (tokens[at] !== "\\end") break;
        }
        at++;
        raw();
        const [open, close] = { cases: "{ ", pmatrix: "()", bmatrix: "[]" }[kind] || "  ";
        return { kind: "table", rows, open: open.trim(), close: close.trim(), left: kind === "cases" };
      }
      if (["mathrm", "text", "operatorname", "mathsf", "mathtt", "mathcal"].includes(name)) {
        return word(raw());
      }
      if (name === "mathbf" || name === "boldsymbol") return word(raw(), "bold");
      if (name === "mathbb") return word(raw(), "double");
      if (name in letters.accents) {
        return { kind: "accent", mark: letters.accents[name], inner: group() };
      }
      if (letters.words.includes(name)) {
        return name === "bmod" ? { ...word("mod"), cls: "bin" } : word(name);
      }
      if (name in letters.commands) return sign(letters.commands[name]);
      const space = { ",": THIN, ":": MEDIUM, ";": THICK, "!": -THIN, " ": 250, "quad": 1000 }[name];
      if (space !== undefined) return { kind: "space", width: space };
      return name.length === 1 ? sign(name) : word(name);
    };
    return row(undefined);
  };
  const sign = (c) => ({ kind: "sign", c, cls: CLASS[c] || "ord" });
  const word = (text, face = "") => ({
    kind: "word", text, face, cls: text.length > 1 && !face ? "op" : "ord",
  });

  // --- setting ------------------------------------------------------------------------------
  // A box has a width, a height above the baseline, a depth below it, and what is drawn in it.

  const box = (width, height, depth, drawn = []) => ({ width, height, depth, drawn });
  const moved = (b, dx, dy) => b.drawn.map((d) => ({ ...d, x: d.x + dx, y: d.y + dy }));
  const glyph = (name, scale) => {
    const [advance, low, high] = letters.glyphs[name];
    return box(advance * scale, high * scale, -low * scale, [{ glyph: name, x: 0, y: 0, scale }]);
  };
  const shifted = (c, start, ranges) => {
    for (const [first, last, to] of ranges) {
      if (c >= first && c <= last) {
        return String.fromCodePoint(to + c.codePointAt(0) - first.codePointAt(0));
      }
    }
    return start;
  };
  const italic = (c) => c === "h" ? "ℎ" : shifted(
    c, { "ϵ": "𝜖", "ϑ": "𝜗", "ϕ": "𝜙", "ϱ": "𝜚", "ϖ": "𝜛" }[c] || c,
    [["A", "Z", 0x1D434], ["a", "z", 0x1D44E], ["α", "ω", 0x1D6FC]]);
  const bold = (c) => shifted(c, c, [["A", "Z", 0x1D400], ["a", "z", 0x1D41A], ["0", "9", 0x1D7CE]]);
  const double = (c) => ({ R: "ℝ", Z: "ℤ", N: "ℕ", C: "ℂ", E: "𝔼", P: "ℙ" }[c] || c);
  const canvas = document.createElement("canvas").getContext("2d");
  const FALLBACK = "STIX Two Text, Noto Serif, Times New Roman, serif";

  const character = (c, scale) => {
    if (c in letters.glyphs) return glyph(c, scale);
    canvas.font = `100px ${FALLBACK}`; // a character that the font lacks is text, and is measured
    const width = 10 * canvas.measureText(c).width * scale;
    return box(width, 750 * scale, 200 * scale, [{ text: c, x: 0, y: 0, scale }]);
  };
  const inLine = (boxes) => {
    let width = 0;
    const drawn = [];
    for (const b of boxes) {
      drawn.push(...moved(b, width, 0));
      width += b.width;
    }
    return box(width, Math.max(0, ...boxes.map((b) => b.height)),
      Math.max(0, ...boxes.map((b) => b.depth)), drawn);
  };
  const SPACES = { // between neighbours of these classes, as in TeX
    "ord op": THIN, "op ord": THIN, "op op": THIN, "close op": THIN, "inner ord": THIN,
    "ord inner": THIN, "inner inner": THIN, "inner op": THIN, "close inner": THIN,
    "inner open": THIN,
  };
  const between = (left, right, scale) => {
    if (!left || !right) return 0;
    if (left === "punct") return THIN * scale;
    if (scale < 1) return SPACES[`${left} ${right}`] ? THIN * scale * 0.6 : 0;
    if (left === "bin" || right === "bin") return MEDIUM * scale;
    if (left === "rel" || right === "rel") return left === right ? 0 : THICK * scale;
    return (SPACES[`${left} ${right}`] || 0) * scale;
  };
  const classOf = (item) => ({
    fraction: "inner", fence: "inner", table: "inner", root: "inner", accent: "ord", row: "ord", space: "",
  }[item.kind] ?? (item.kind === "scripts" ? classOf(item.base || sign(" ")) :
    item.cls === "big" ? "op" : item.cls));

  // The boxes of a row, each with the space before it and whether a line may break there.
  const pieces = (items, scale, display) => {
    const classes = items.map(classOf);
    classes.forEach((cls, i) => { // a sign before its first operand stands close to it
      const before = classes[i - 1];
      if (cls === "bin" && (!before || ["bin", "rel", "open", "punct"].includes(before))) {
        classes[i] = "ord";
      }
    });
    return items.map((item, i) => ({
      space: item.kind === "space" ? 0 : between(classes[i - 1], classes[i], scale),
      breaks: i > 0 && (classes[i] === "rel" || classes[i] === "bin"),
      box: set(item, scale, display),
    }));
  };
  const setRow = (items, scale, display) => inLine(pieces(items, scale, display).flatMap(
    (piece) => piece.space ? [box(piece.space, 0, 0), piece.box] : [piece.box]));

  const smaller = (scale) => scale > SMALL ? SMALL : TINY;

  const set = (item, scale, display) => {
    if (!item) return box(0, 0, 0);
    switch (item.kind) {
      case "row": return setRow(item.items, scale, display);
      case "space": return box(item.width * scale, 0, 0);
      case "sign":
        if (item.cls === "big" && display && `${item.c}+` in letters.glyphs) {
          return glyph(`${item.c}+`, scale);
        }
        return character(italic(item.c), scale);
      case "word": {
        const face = { bold, double }[item.face] || ((c) => c);
        return inLine([...item.text].map((c) => character(face(c), scale)));
      }
      case "fraction": return setFraction(item, scale, display);
      case "scripts": return setScripts(item, scale, display);
      case "fence": return setFence(item, scale, display);
      case "table": return setTable(item, scale, display);
      case "root": return setRoot(item, scale, display);
      default: return setAccent(item, scale, display);
    }
  };
  const setFraction = (item, scale, display) => {
    const inner = display ? scale : smaller(scale);
    const above = set(item.above, inner, false), below = set(item.below, inner, false);
    const width = Math.max(above.width, below.width) + 120 * scale;
    const axis = AXIS * scale, rule = RULE * scale, gap = (display ? 140 : 80) * scale;
    const up = axis + rule / 2 + gap + above.depth, down = axis - rule / 2 - gap - below.height;
    return box(width + 120 * scale, up + above.height, below.depth - down, [
      ...moved(above, 60 * scale + (width - above.width) / 2, -up),
      ...moved(below, 60 * scale + (width - below.width) / 2, -down),
      { rule: true, x: 60 * scale, y: -axis - rule / 2, width, height: rule },
    ]);
  };
  const setScripts = (item, scale, display) => {
    const base = set(item.base, scale, display), inner = smaller(scale);
    const sub = item.sub && set(item.sub, inner, false), sup = item.sup && set(item.sup, inner, false);
    if (item.base && item.base.cls === "big" && display) return withLimits(base, sub, sup, scale);
    const drawn = [...base.drawn];
    let { width, height, depth } = base;
    let up = sup ? Math.max(360 * scale, base.height - 230 * scale, sup.depth + 120 * scale) : 0;
    let down = sub ? Math.max(210 * scale, base.depth + (base.depth > 100 ? 160 : 0) * scale,
      sub.height - 368 * scale) : 0;
    if (sub && sup) down = Math.max(down, sub.height + 150 * scale - (up - sup.depth));
    const lean = item.base && item.base.kind === "sign" && sub ? -20 * scale : 0;
    if (sup) {
      drawn.push(...moved(sup, base.width + 30 * scale, -up));
      height = Math.max(height, up + sup.height);
      width = Math.max(width, base.width + 30 * scale + sup.width);
    }
    if (sub) {
      drawn.push(...moved(sub, base.width + lean + 10 * scale, down));
      depth = Math.max(depth, down + sub.depth);
      width = Math.max(width, base.width + lean + 10 * scale + sub.width);
    }
    return box(width + 40 * scale, height, depth, drawn);
  };
  const withLimits = (base, sub, sup, scale) => {
    const width = Math.max(base.width, sub ? sub.width : 0, sup ? sup.width : 0);
    const drawn = moved(base, (width - base.width) / 2, 0);
    let { height, depth } = base;
    if (sup) {
      drawn.push(...moved(sup, (width - sup.width) / 2, -(height + 120 * scale + sup.depth)));
      height += 120 * scale + sup.depth + sup.height;
    }
    if (sub) {
      drawn.push(...moved(sub, (width - sub.width) / 2, depth + 120 * scale + sub.height));
      depth += 120 * scale + sub.height + sub.depth;
    }
    return box(width, height, depth, drawn);
  };
  const stretched = (c, reach, scale) => { // a delimiter that reaches so far from the axis
    if (!c) return box(120 * scale, 0, 0);
    const names = letters.larger[c];
    if (!names) return character(c, scale);
    const fits = (name) => {
      const [, low, high] = letters.glyphs[name];
      return (high - low) * scale >= 2 * reach * 0.9;
    };
    const chosen = glyph(names.find(fits) || names[names.length - 1], scale);
    const drop = (chosen.height - chosen.depth) / 2 - AXIS * scale;
    return box(chosen.width, chosen.height - drop, chosen.depth + drop, moved(chosen, 0, drop));
  };
  const setFence = (item, scale, display) => {
    const inner = set(item.inner, scale, display);
    const reach = Math.max(inner.height - AXIS * scale, inner.depth + AXIS * scale);
    return inLine([stretched(item.open, reach, scale), inner, stretched(item.close, reach, scale)]);
  };
  const setTable = (item, scale, display) => {
    const rows = item.rows.filter((row) => row.some((cell) => cell.items.length))
      .map((row) => row.map((cell) => set(cell, scale, false)));
    const columns = Math.max(0, ...rows.map((row) => row.length)), drawn = [];
    const widths = Array.from({ length: columns }, (_, k) => Math.max(...rows.map((row) => row[k]?.width || 0)));
    const heights = rows.map((row) => Math.max(700 * scale, ...row.map((cell) => cell.height)));
    const depths = rows.map((row) => Math.max(250 * scale, ...row.map((cell) => cell.depth)));
    const gap = 150 * scale, spread = 800 * scale;
    const whole = rows.reduce((sum, _, r) => sum + heights[r] + depths[r] + (r ? gap : 0), 0);
    let y = -whole / 2 - AXIS * scale;
    rows.forEach((row, r) => {
      y += heights[r];
      let x = 0;
      row.forEach((cell, k) => {
        drawn.push(...moved(cell, x + (item.left ? 0 : (widths[k] - cell.width) / 2), y));
        x += widths[k] + spread;
      });
      y += depths[r] + gap;
    });
    const width = widths.reduce((sum, w) => sum + w, 0) + spread * Math.max(0, columns - 1);
    const inner = box(width, whole / 2 + AXIS * scale, whole / 2 - AXIS * scale, drawn);
    const fences = [item.open, item.close].map((c) => stretched(c, whole / 2, scale));
    return inLine([fences[0], box(80 * scale, 0, 0), inner, fences[1]]);
  };
  const setRoot = (item, scale, display) => {
    const inner = set(item.inner, scale, display);
    const rule = RULE * scale, gap = 110 * scale;
    const height = inner.height + inner.depth + gap + rule;
    const names = letters.larger["√"] || ["√"];
    const tall = (name) => (letters.glyphs[name][2] - letters.glyphs[name][1]) * scale >= height;
    const mark = glyph(names.find(tall) || names[names.length - 1], scale);
    const spare = Math.max(0, mark.height + mark.depth - height); // shared above and below
    const top = inner.height + gap + rule + spare / 2, foot = mark.depth + mark.height - top;
    return box(mark.width + inner.width + 60 * scale, top, Math.max(inner.depth, foot), [
      ...moved(mark, 0, mark.height - top),
      ...moved(inner, mark.width, 0),
      { rule: true, x: mark.width - 12 * scale, y: -top, width: inner.width + 60 * scale, height: rule },
    ]);
  };
  const setAccent = (item, scale, display) => {
    const inner = set(item.inner, scale, display), drawn = [...inner.drawn];
    let height = inner.height + 160 * scale;
    if (item.mark) {
      const mark = character(item.mark, scale * (item.mark === "→" ? 0.6 : 1));
      const lift = Math.max(0, inner.height - 480 * scale);
      drawn.push(...moved(mark, (inner.width - mark.width) / 2 + 40 * scale,
        item.mark === "→" ? -inner.height + 60 * scale : -lift));
    } else {
      const y = -inner.height - 110 * scale;
      drawn.push({ rule: true, x: 40 * scale, y, width: inner.width - 30 * scale, height: 50 * scale });
    }
    return box(inner.width, height, inner.depth, drawn);
  };

  // --- drawing ------------------------------------------------------------------------------

  const SVG = "http://www.w3.org/2000/svg";
  const element = (name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const known = new Map();
  const parsed = (latex) => {
    if (!known.has(latex)) known.set(latex, read(latex));
    return known.get(latex);
  };
  // The rows of a formula, broken before relations and operators where it is too wide.
  const lines = (latex, width) => {
    const rows = [[]];
    let used = 0;
    const indent = 1600;
    const display = pieces(parsed(latex).items, 1, true);
    const rest = display.map(() => 0); // up to the next place where the line may break
    for (let i = display.length - 1; i >= 0; i--) {
      const next = i + 1 < display.length && !display[i + 1].breaks ? rest[i + 1] : 0;
      rest[i] = display[i].space + display[i].box.width + next;
    }
    display.forEach((piece, i) => {
      if (piece.breaks && rows[rows.length - 1].length && used + rest[i] > width) {
        rows.push([]);
        used = indent;
      }
      const row = rows[rows.length - 1];
      const space = row.length ? piece.space : 0;
      row.push(box(space, 0, 0), piece.box);
      used += space + piece.box.width;
    });
    return rows.map((row, i) => inLine(i ? [box(indent, 0, 0), ...row] : row));
  };

  // Return a formula as an SVG element; `width` in pixels is what it should fit in.
  const typeset = (latex, text, size = 17, width = Infinity) => {
    const unit = size / 1000, rows = lines(latex, width / unit);
    const wide = Math.max(1, ...rows.map((row) => row.width)) + 60;
    let y = 0;
    const svg = element("svg", { class: "formula", role: "img", "aria-label": text });
    for (const row of rows) {
      y += row.height + 40;
      for (const d of row.drawn) {
        const at = `translate(${(d.x + 30).toFixed(0)} ${(d.y + y).toFixed(0)})`;
        if (d.rule) {
          svg.append(element("rect", {
            x: (d.x + 30).toFixed(0), y: (d.y + y).toFixed(0),
            width: d.width.toFixed(0), height: d.height.toFixed(0),
          }));
        } else if (d.text) {
          const shown = element("text", {
            transform: at, "font-family": FALLBACK, "font-size": 1000 * d.scale,
          });
          shown.textContent = d.text;
          svg.append(shown);
        } else {
          const scale = d.scale === 1 ? "" : ` scale(${d.scale})`;
          svg.append(element("path", { transform: at + scale, d: letters.glyphs[d.glyph][3] }));
        }
      }
      y += row.depth + (rows.length > 1 ? 260 : 40);
    }
    svg.setAttribute("viewBox", `0 0 ${wide.toFixed(0)} ${y.toFixed(0)}`);
    svg.setAttribute("width", (wide * unit).toFixed(1));
    svg.setAttribute("height", (y * unit).toFixed(1));
    if (rows.length === 1) { // its baseline on that of the text around it
      svg.style.verticalAlign = `${(-(rows[0].depth + 40) * unit).toFixed(1)}px`;
    }
    return svg;
  };
  return { typeset };
};
