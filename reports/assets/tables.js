// Lets a reader sort and filter the table of runs, shows in the charts which runs are left, and opens
// what a link leads to.
// The page is complete without it.
(() => {
  'use strict';
  const textOf = (cell) => cell.textContent.trim();
  const valueOf = (cell) => {
    const data = cell.querySelector('data');
    return data ? Number(data.value) : null;
  };

  function compared(a, b) {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x !== null && y !== null) return x - y;
    if (x !== null || y !== null) return x !== null ? 1 : -1;  // numbers are more than nothing
    return textOf(a).localeCompare(textOf(b), 'en', { numeric: true });
  }

  function makeSortable(table) {
    const body = table.tBodies[0];
    const headers = [...table.tHead.rows[0].cells];
    headers.forEach((header, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'sort';
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener('click', () => {
        const isNumber = header.classList.contains('n');
        const was = header.getAttribute('aria-sort');
        // What is best comes first: numbers from high to low.
        const order = was === null ? (isNumber ? 'descending' : 'ascending')
                                   : was === 'ascending' ? 'descending' : 'ascending';
        headers.forEach((other) => other.removeAttribute('aria-sort'));
        header.setAttribute('aria-sort', order);
        const sign = order === 'ascending' ? 1 : -1;
        const rows = [...body.rows];
        rows.sort((a, b) => sign * compared(a.cells[column], b.cells[column]));
        body.append(...rows);
      });
    });
  }

  // momentum>=0.5, filters=20, or plain words: a column's name is enough as far as it is clear.
  function conditionOf(word, headers) {
    const parts = /^([^<>=!]+)(<=|>=|!=|<|>|=)(.*)$/.exec(word);
    if (!parts) return (row) => row.textContent.toLowerCase().includes(word);
    const [, name, sign, wanted] = parts;
    const exact = headers.findIndex((header) => header === name);
    const column = exact >= 0 ? exact : headers.findIndex((header) => header.includes(name));
    if (column < 0 || wanted === '') return () => true;  // not written to its end
    const number = Number(wanted);
    return (row) => {
      const cell = row.cells[column];
      const value = valueOf(cell);
      if (value === null || Number.isNaN(number)) {
        const isEqual = textOf(cell).toLowerCase() === wanted;
        return sign === '=' ? isEqual : sign === '!=' ? !isEqual : false;
      }
      return { '<': value < number, '>': value > number, '<=': value <= number,
               '>=': value >= number, '=': value === number, '!=': value !== number }[sign];
    };
  }

  function showLeft(rows) {
    const out = new Set();
    let hasRuns = false;
    for (const row of rows) {
      const run = row.querySelector('[data-run]');
      if (!run) continue;
      hasRuns = true;
      if (row.hidden) out.add(run.dataset.run);
    }
    if (!hasRuns) return;
    for (const mark of document.querySelectorAll('svg [data-run]')) {
      mark.classList.toggle('out', out.has(mark.dataset.run));
    }
  }

  function makeFilter(frame, table) {
    const rows = [...table.tBodies[0].rows];
    const names = [...table.tHead.rows[0].cells].map((cell) => textOf(cell).toLowerCase());
    const headers = names.map((name) => name.replace(/ /g, ''));
    const label = document.createElement('label');
    label.textContent = 'Filter ';
    const input = document.createElement('input');
    input.type = 'search';
    input.placeholder = 'words, or column=value, column>value';
    const count = document.createElement('span');
    count.setAttribute('role', 'status');
    const tools = document.createElement('p');
    tools.className = 'filter';
    label.append(input);
    tools.append(label, count);
    frame.before(tools);
    const apply = () => {
      let text = input.value.toLowerCase().replace(/\s*(<=|>=|!=|<|>|=)\s*/g, '$1');
      names.forEach((name, column) => { text = text.replaceAll(name, headers[column]); });
      const words = text.split(/[\s,]+/).filter((word) => word && word !== 'and');
      const conditions = words.map((word) => conditionOf(word, headers));
      let left = 0;
      for (const row of rows) {
        row.hidden = !conditions.every((holds) => holds(row));
        left += row.hidden ? 0 : 1;
      }
      count.textContent = `${left} of ${rows.length}`;
      showLeft(rows);
    };
    input.addEventListener('input', apply);
    apply();
  }

  // The run under the pointer, in all charts.
  function pointOut(table) {
    const point = (target, isOn) => {
      const row = target.closest('tr');
      const run = row && row.querySelector('[data-run]');
      if (!run) return;
      for (const mark of document.querySelectorAll(`svg [data-run="${run.dataset.run}"]`)) {
        mark.classList.toggle('on', isOn);
        if (isOn && mark.tagName === 'path') mark.parentNode.append(mark);
      }
    };
    table.tBodies[0].addEventListener('pointerover', (event) => point(event.target, true));
    table.tBodies[0].addEventListener('pointerout', (event) => point(event.target, false));
  }

  // A link to a run leads to it, also where it is folded.
  function openTarget() {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const folds = [];
    for (let each = target; each; each = each.parentElement) {
      if (each.localName === 'details' && !each.open) folds.push(each);
    }
    for (const each of folds) each.open = true;
    if (folds.length > 0) target.scrollIntoView();
  }
  window.addEventListener('hashchange', openTarget);
  openTarget();

  for (const frame of document.querySelectorAll('.sortable')) {
    const table = frame.querySelector('table');
    if (!table || !table.tHead) continue;
    makeFilter(frame, table);
    makeSortable(table);
    pointOut(table);
  }
})();
