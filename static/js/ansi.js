// Colours of terminals: text with SGR codes as pieces, each with the classes of css/log.css. Nothing here makes HTML.

const CODE = /\x1b\[([0-9;:]*)m/g;
const FLAGS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "struck" };
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["struck"] };

export class Ansi {
  constructor() { this.reset(); }

  reset() {
    this.flags = new Set();
    this.front = null;
    this.back = null;
  }

  // [[classes, text], …]; what a line leaves on goes on in the next.
  pieces(line) {
    if (!line.includes("\x1b")) return line ? [[this.classes(), line]] : [];
    const pieces = [];
    let at = 0;
    for (const found of line.matchAll(CODE)) {
      if (found.index > at) pieces.push([this.classes(), line.slice(at, found.index)]);
      this.obey(found[1]);
      at = found.index + found[0].length;
    }
    if (at < line.length) pieces.push([this.classes(), line.slice(at)]);
    return pieces;
  }

  classes() {
    const names = [...this.flags].map((flag) => `ansi-${flag}`);
    if (this.front !== null) names.push(`ansi-${this.front}`);
    if (this.back !== null) names.push("ansi-back", `ansi-back-${this.back}`);
    return names.join(" ");
  }

  obey(said) {
    const codes = said.split(/[;:]/).map(Number);
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at];
      if (code === 38 || code === 48) {
        const [colour, taken] = extended(codes.slice(at + 1));
        if (code === 38) this.front = colour; else this.back = colour;
        at += taken;
      } else this.obeyOne(code);
    }
  }

  obeyOne(code) {
    if (code === 0) this.reset();
    else if (FLAGS[code]) this.flags.add(FLAGS[code]);
    else if (ENDS[code]) for (const flag of ENDS[code]) this.flags.delete(flag);
    else if (code >= 30 && code <= 37) this.front = code - 30;
    else if (code === 39) this.front = null;
    else if (code >= 40 && code <= 47) this.back = code - 40;
    else if (code === 49) this.back = null;
    else if (code >= 90 && code <= 97) this.front = code - 82;
    else if (code >= 100 && code <= 107) this.back = code - 92;
  }
}

// Of `5;n` and `2;r;g;b`: the nearest of the sixteen, and how many numbers it took.
function extended(codes) {
  if (codes[0] === 5) return [ofTable(codes[1] ?? 0), 2];
  if (codes[0] === 2) return [nearest(codes[1] ?? 0, codes[2] ?? 0, codes[3] ?? 0), 4];
  return [null, 0];
}

function ofTable(number) {
  if (number < 16) return number;
  if (number >= 232) return grey((number - 232) * 10 + 8);
  const level = (step) => [0, 95, 135, 175, 215, 255][step % 6];
  const cube = number - 16;
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6)), level(cube));
}

function grey(light) {
  if (light < 60) return 0;
  return light < 170 ? 8 : 7;
}

// By hue: colours have to be readable on both themes, so those of the palette are as near as it gets.
function nearest(red, green, blue) {
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (range < 32) return grey(most);
  let hue = 0;
  if (most === red) hue = ((green - blue) / range + 6) % 6;
  else if (most === green) hue = (blue - red) / range + 2;
  else hue = (red - green) / range + 4;
  const colour = [1, 3, 2, 6, 4, 5][Math.round(hue) % 6];
  return most > 200 ? colour + 8 : colour;
}
