'use strict';
// What a reader would stumble over, measured inside the page. Runs in the browser: every function
// gives a list of findings, in words.
const pageChecks = (() => {
  const kSlack = 1.5;  // pixels: rounding of fractions

  // What only a screen reader is meant to find is clipped to nothing.
  let heardOnly = new Map();  // asked again and again
  const isHeardOnly = (element) => {
    if (!element) return false;
    if (!heardOnly.has(element)) heardOnly.set(element, getComputedStyle(element).clipPath === 'inset(50%)' || isHeardOnly(element.parentElement));
    return heardOnly.get(element);
  };
  const isShown = (element) => getComputedStyle(element).display === 'contents' ? isShown(element.parentElement) : element.checkVisibility() && element.getClientRects().length > 0 && !isHeardOnly(element);
  const all = (selector) => [...document.querySelectorAll(selector)].filter(isShown);
  const nameOf = (element) => {
    const text = (element.textContent || element.getAttribute('aria-label') || '').trim().replace(/\s+/g, ' ').slice(0, 50);
    const css = typeof element.className === 'string' ? element.className : element.className.baseVal;
    return `<${element.localName}${css ? ` class="${css}"` : ''}> "${text}"`;
  };

  // Shown texts, each with the element that holds it and the boxes it takes.
  let shownTexts = null;
  function texts() {
    if (shownTexts) return shownTexts;
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || element.closest('script, style, title, desc, .skip')) continue;
      if (!isShown(element)) continue;
      const range = document.createRange();
      range.selectNodeContents(walker.currentNode);
      found.push({ node: walker.currentNode, element, boxes: [...range.getClientRects()].filter((box) => box.width > 0) });
    }
    return (shownTexts = found);
  }

  const isInside = (box, frame) => box.left >= frame.left - kSlack && box.right <= frame.right + kSlack;

  function overflow() {
    const findings = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) findings.push(`the page is ${root.scrollWidth} pixels wide in ${root.clientWidth}`);
    for (const element of all('body *')) {
      if (element.closest('svg, .skip, .atlas')) continue;
      if (element.clientWidth > 0 && element.scrollWidth > element.clientWidth + kSlack) {
        findings.push(`${nameOf(element)}: ${element.scrollWidth} pixels in ${element.clientWidth}`);
      }
    }
    return findings;
  }

  function clipped() {
    const findings = [];
    const view = { left: 0, right: document.documentElement.clientWidth };
    for (const { element, boxes } of texts()) {
      const holder = element.closest('td, th, dd, dt, li, figcaption, svg.plot, p, summary');
      const frame = holder ? holder.getBoundingClientRect() : view;
      if (boxes.every((box) => isInside(box, frame) && isInside(box, view))) continue;
      findings.push(`${nameOf(element)} leaves ${holder ? nameOf(holder) : 'the page'}`);
    }
    for (const element of all('svg, img, canvas, button')) {
      if (!element.closest('.atlas') && !isInside(element.getBoundingClientRect(), view)) {
        findings.push(`${nameOf(element)} leaves the page`);
      }
    }
    return findings;
  }

  // Cells that lie over each other, and texts of a chart that do.
  function overlaps() {
    const findings = [];
    const meet = (a, b) => a.left < b.right - kSlack && b.left < a.right - kSlack &&
                           a.top < b.bottom - kSlack && b.top < a.bottom - kSlack;
    const look = (elements) => {
      const boxes = elements.map((element) => element.getBoundingClientRect());
      for (let i = 0; i < boxes.length; ++i) {
        for (let j = i + 1; j < boxes.length; ++j) {
          if (meet(boxes[i], boxes[j])) findings.push(`${nameOf(elements[i])} and ${nameOf(elements[j])}`);
        }
      }
    };
    for (const row of all('tr')) look([...row.cells].filter(isShown));
    for (const plot of all('svg.plot')) look([...plot.querySelectorAll('text')]);
    return findings;
  }

  // Columns whose title is not to be read, on each page: only cards say it at each value instead.
  function titles() {
    const findings = [];
    for (const table of document.querySelectorAll('table')) {
      if (!isShown(table) || !table.tHead || getComputedStyle(table).display !== 'table') continue;
      if (getComputedStyle(table.tHead).display !== 'table-header-group') findings.push(`${nameOf(table)} has a head that is not shown as one`);
      const hasBox = [...table.tHead.querySelectorAll('*')].some((each) => getComputedStyle(each).display === 'inline-block');
      if (matchMedia('print').matches && hasBox) findings.push(`the head of ${nameOf(table)} has a box in it, so that it is not repeated on a second page`);
      for (const header of table.tHead.rows[0].cells) {
        const shown = header.innerText.trim();
        if (header.textContent.trim() && !shown) findings.push(`${nameOf(table)} does not show ${nameOf(header)}`);
      }
    }
    return findings;
  }

  // Words and figures that are broken inside, as "finish" and "ed": of heads those of up to fourteen
  // letters, buttons or none, elsewhere those of up to eleven. Parts of longer names are none, and on
  // a telephone keys have no room to be whole beside their values.
  function broken() {
    const findings = [];
    if (innerWidth <= 640) return findings;
    for (const { node, element } of texts()) {
      const cell = element.closest('td, th');
      if (!cell) continue;
      const most = cell.closest('thead') ? 14 : 11;
      for (const word of node.data.matchAll(/[\p{L}\p{N}]+(?:[.,][\p{N}]+)*%?/gu)) {
        if (word[0].length > most) continue;
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].filter((box) => box.width > 0).map((box) => Math.round(box.top)));
        if (lines.size > 1) findings.push(`"${word[0]}" in ${nameOf(cell)} is broken`);
      }
    }
    return findings;
  }

  // A hint in a field, which says how it is to be filled, and a head that sorts without saying so.
  function hints() {
    const findings = [];
    for (const input of all('input[placeholder]')) {
      const style = getComputedStyle(input);
      paint.font = `${style.fontSize} ${style.fontFamily}`;
      const room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      const width = paint.measureText(input.placeholder).width;
      if (width > room) findings.push(`the hint "${input.placeholder}" takes ${Math.round(width)} pixels of ${Math.round(room)}`);
    }
    if (matchMedia('print').matches) return findings;
    for (const button of all('th button')) {
      if (['none', 'normal', '""'].includes(getComputedStyle(button, '::after').content)) findings.push(`nothing shows that ${nameOf(button)} sorts`);
    }
    return findings;
  }

  function tooSmall() {
    const findings = new Set();
    for (const { element } of texts()) {
      const svg = element.closest('svg.plot');
      const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
      const pixels = parseFloat(getComputedStyle(element).fontSize) * scale;
      if (pixels < 9) findings.add(`${nameOf(element)}: ${pixels.toFixed(1)} pixels high`);
    }
    return [...findings];
  }

  // ---- contrast: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio --------------------------------
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const known = new Map();
  function channels(color) {
    if (!known.has(color)) known.set(color, painted(color));
    return known.get(color);
  }
  function painted(color) {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = paint.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  }
  const over = ([r, g, b, alpha], below) => [r, g, b].map((each, i) => each * alpha + below[i] * (1 - alpha));
  function ground(element) {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.push(channels(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), channels('Canvas'));
  }
  function luminance(color) {
    const [r, g, b] = color.map((each) => each / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function contrast() {
    const findings = new Map();
    for (const { element } of texts()) {
      const style = getComputedStyle(element);
      const below = ground(element);
      const ink = over(channels(element.closest('svg') ? style.fill : style.color), below);
      const [light, dark] = [luminance(ink), luminance(below)].sort((a, b) => b - a);
      const ratio = (light + 0.05) / (dark + 0.05);
      if (ratio < 4.5) findings.set(`${ink} on ${below}`, `${nameOf(element)}: ${ratio.toFixed(2)} : 1`);
    }
    return [...findings.values()];
  }

  function structure() {
    const findings = [];
    let level = 0;
    for (const heading of all('h1, h2, h3, h4, h5, h6')) {
      const next = Number(heading.localName[1]);
      if (next > level + 1) findings.push(`${nameOf(heading)} follows a heading of level ${level}`);
      level = next;
    }
    if (document.querySelectorAll('h1').length !== 1) findings.push('not one <h1>');
    for (const table of document.querySelectorAll('table')) {
      if (!table.caption || !table.caption.textContent.trim()) findings.push(`${nameOf(table)} has no caption`);
      if (!table.tHead) findings.push(`${nameOf(table)} has no head`);
      for (const header of table.querySelectorAll('th:not([scope])')) findings.push(`${nameOf(header)} has no scope`);
      for (const row of table.tBodies[0].rows) {
        if (!row.querySelector('th')) findings.push(`the row ${nameOf(row)} has no header`);
      }
    }
    for (const image of document.querySelectorAll('img, svg, canvas')) {
      const labelled = (image.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join('');
      const name = image.getAttribute('alt') || image.getAttribute('aria-label') || labelled;
      if (image.getAttribute('aria-hidden') !== 'true' && !name) findings.push(`${nameOf(image)} has no name`);
    }
    return findings;
  }

  // What acts by itself or when it is touched, and is none of the page's own.
  function active() {
    const findings = [];
    for (const element of document.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        if (name.startsWith('on')) findings.push(`${nameOf(element)} has ${name}`);
        if (/^[\s\u0000-\u001f]*(javascript|data:text|vbscript):?/i.test(value) && /href$|^src$|^action$/.test(name)) findings.push(`${nameOf(element)} has ${name} ${value.slice(0, 30)}`);
      }
      if (['iframe', 'object', 'embed', 'base', 'form', 'frame'].includes(element.localName)) findings.push(`${nameOf(element)} is in the page`);
    }
    return findings;
  }

  // The findings of each check. Colours and structure are the same at all widths: `isLayoutAlone` leaves
  // them out.
  function run(isLayoutAlone) {
    heardOnly = new Map();
    shownTexts = null;
    known.clear();
    const layout = { overflow, clipped, overlaps, titles, broken, hints };
    const rest = { tooSmall, contrast, structure, active };
    const checks = isLayoutAlone ? layout : { ...layout, ...rest };
    return Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, check()]));
  }
  return { run };
})();
