// Lets a reader explore the charts: values under the pointer, lines that go and come by a click on
// the legend, zoom by dragging or by buttons; and print everything. The page is complete without it.
(() => {
  'use strict';
  const data = document.getElementById('report-data');
  if (!data || typeof Chart === 'undefined') return;
  const plots = new Map(JSON.parse(data.textContent).map((plot) => [plot.id, plot]));
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  const open = new Map();

  const variable = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colorOf = (series) => variable(`--c${series.color % 8}`);
  const pointsOf = (series, values) => series.x.map((x, i) => ({ x, y: values[i] }));
  const text = (value) =>
    value === null ? 'NaN' : Number(value.toPrecision(5)).toLocaleString('en-US', { maximumFractionDigits: 6 });

  function bandsOf(series) {
    if (!series.low) return [];
    const shared = { borderWidth: 0, pointRadius: 0, pointHitRadius: 0, isBand: true, of: series };
    return [
      { ...shared, data: pointsOf(series, series.low), fill: false },
      { ...shared, data: pointsOf(series, series.high), fill: '-1', backgroundColor: colorOf(series) + '2a' },
    ];
  }

  function datasetsOf(plot) {
    const isLine = plot.kind === 'lines';
    const lines = plot.series.map((series) => ({
      label: series.label, data: pointsOf(series, series.y), series,
      borderColor: colorOf(series), backgroundColor: colorOf(series),
      borderWidth: isLine ? (series.thin ? 1 : 2) : 1, borderDash: series.dashed ? [5, 4] : [],
      pointRadius: isLine ? 0 : 5, pointHoverRadius: isLine ? 4 : 7, pointHitRadius: 8,
    }));
    return isLine ? [...lines, ...plot.series.flatMap(bandsOf)] : lines;
  }

  const whiskers = {
    id: 'whiskers',
    afterDatasetsDraw(chart) {
      chart.data.datasets.forEach((dataset, index) => {
        if (!dataset.series || !dataset.series.low || !chart.isDatasetVisible(index)) return;
        if (dataset.data.length !== 1) return;
        chart.getDatasetMeta(index).data.forEach((point, i) => {
          if (dataset.series.low[i] === null) return;
          chart.ctx.save();
          chart.ctx.strokeStyle = dataset.borderColor;
          chart.ctx.beginPath();
          chart.ctx.moveTo(point.x, chart.scales.y.getPixelForValue(dataset.series.low[i]));
          chart.ctx.lineTo(point.x, chart.scales.y.getPixelForValue(dataset.series.high[i]));
          chart.ctx.stroke();
          chart.ctx.restore();
        });
      });
    },
  };

  // 1,000,000,000 would leave no room for the chart on a telephone.
  function tickText(value, index, ticks) {
    const kind = this.type === 'logarithmic' ? 'logarithmic' : 'numeric';
    const usual = Chart.Ticks.formatters[kind].call(this, value, index, ticks);
    return usual.length <= 7 ? usual : Number(value.toPrecision(6)).toExponential().replace('e+', 'e');
  }

  function axis(description, color, rule) {
    return {
      type: description.log ? 'logarithmic' : 'linear',
      min: description.min, max: description.max,
      title: { display: true, text: description.label, color },
      ticks: { color, maxTicksLimit: 8, precision: description.whole ? 0 : undefined,
               callback: tickText }, grid: { color: rule },
    };
  }

  function label(item) {
    const series = item.dataset.series;
    const range = series.low && series.low[item.dataIndex] !== null
      ? ` (${text(series.low[item.dataIndex])} to ${text(series.high[item.dataIndex])})` : '';
    return `${series.label}: ${text(item.raw.y)}${range}`;
  }

  function chartOf(plot, canvas) {
    const color = variable('--soft');
    const rule = variable('--rule');
    return new Chart(canvas, {
      type: plot.kind === 'lines' ? 'line' : 'scatter',
      data: { datasets: datasetsOf(plot) },
      plugins: [whiskers],
      options: {
        animation: still.matches ? false : { duration: 200 },
        maintainAspectRatio: false, parsing: false, normalized: true,
        interaction: plot.kind === 'lines' ? { mode: 'nearest', axis: 'x', intersect: false }
                                           : { mode: 'nearest', intersect: false },
        scales: { x: axis(plot.x, color, rule), y: axis(plot.y, color, rule) },
        plugins: {
          legend: { display: false },  // the page's own one: long names take no room from the chart
          tooltip: { filter: (item) => !item.dataset.isBand,
                     callbacks: { title: (items) => items.length ? `${plot.x.label} ${text(items[0].raw.x)}` : '', label } },
        },
      },
    });
  }

  function zoomTo(chart, low, high) {
    if (!(high > low)) return;
    chart.options.scales.x.min = low;
    chart.options.scales.x.max = high;
    chart.update('none');
  }

  function zoomBy(chart, factor) {
    const { min, max, type } = chart.scales.x;
    const isLog = type === 'logarithmic' && min > 0;
    const [low, high] = isLog ? [Math.log(min), Math.log(max)] : [min, max];
    const middle = (low + high) / 2;
    const half = (high - low) / 2 * factor;
    const ends = [middle - half, middle + half];
    zoomTo(chart, ...(isLog ? ends.map(Math.exp) : ends));
  }

  function reset(chart, plot) {
    chart.options.scales.x.min = plot.x.min;
    chart.options.scales.x.max = plot.x.max;
    chart.update('none');
  }

  function zoomByDragging(current, canvas) {
    let from = null;
    const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
    canvas.addEventListener('pointerdown', (event) => { from = place(event); });
    canvas.addEventListener('pointerup', (event) => {
      if (from === null) return;
      const ends = [from, place(event)].sort((a, b) => a - b);
      from = null;
      const chart = current();
      if (ends[1] - ends[0] > 12) zoomTo(chart, ...ends.map((x) => chart.scales.x.getValueForPixel(x)));
    });
  }

  function button(name, spoken, action) {
    const element = document.createElement('button');
    element.type = 'button';
    element.textContent = name;
    if (spoken) element.setAttribute('aria-label', spoken);
    element.addEventListener('click', action);
    return element;
  }

  // A click on a name takes its line away, or back again.
  function legendButtons(figure, current) {
    figure.querySelectorAll('.legend li').forEach((item, index) => {
      const toggle = button('', null, () => {
        const chart = current();
        const series = chart.data.datasets[index].series;
        const isShown = !chart.isDatasetVisible(index);
        chart.data.datasets.forEach((dataset, place) => {
          if (dataset.series === series || dataset.of === series) chart.setDatasetVisibility(place, isShown);
        });
        toggle.setAttribute('aria-pressed', String(isShown));
        chart.update('none');
      });
      toggle.setAttribute('aria-pressed', 'true');
      toggle.append(...item.childNodes);
      item.append(toggle);
    });
  }

  function plainLegend(figure) {
    for (const toggle of figure.querySelectorAll('.legend button')) toggle.replaceWith(...toggle.childNodes);
  }

  function explore(figure, plot, tools) {
    const frame = document.createElement('div');
    frame.className = 'explore';
    const canvas = document.createElement('canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', plot.title);
    frame.append(canvas);
    figure.querySelector('svg.plot').after(frame);
    figure.classList.add('exploring');
    open.set(figure, { chart: chartOf(plot, canvas), plot, canvas });
    const current = () => open.get(figure).chart;  // another one after a change of colours
    zoomByDragging(current, canvas);
    legendButtons(figure, current);
    tools.append(button('+', 'Zoom in', () => zoomBy(current(), 0.6)),
                 button('−', 'Zoom out', () => zoomBy(current(), 1 / 0.6)),
                 button('Reset', 'Reset the zoom', () => reset(current(), plot)));
  }

  function leave(figure, tools) {
    open.get(figure).chart.destroy();
    open.delete(figure);
    figure.querySelector('.explore').remove();
    figure.classList.remove('exploring');
    plainLegend(figure);
    while (tools.children.length > 1) tools.lastChild.remove();
  }

  for (const figure of document.querySelectorAll('figure[data-plot]')) {
    const plot = plots.get(figure.dataset.plot);
    if (!plot) continue;
    const tools = document.createElement('span');
    tools.className = 'tools';
    const toggle = button('Explore', null, () => {
      const isOpen = open.has(figure);
      if (isOpen) leave(figure, tools); else explore(figure, plot, tools);
      toggle.setAttribute('aria-pressed', String(!isOpen));
    });
    toggle.className = 'explore-button';
    toggle.setAttribute('aria-pressed', 'false');
    tools.append(toggle);
    figure.querySelector('figcaption').append(tools);
  }

  // What is closed is not printed: so that everything is, it is opened for a while.
  function printEverything() {
    const closed = [...document.querySelectorAll('details:not([open])')];
    for (const each of closed) each.open = true;
    window.addEventListener('afterprint', () => { for (const each of closed) each.open = false; }, { once: true });
    window.print();
  }
  const tools = document.createElement('p');
  tools.className = 'tools';
  tools.append(button('Open everything', null, () => { for (const each of document.querySelectorAll('details')) each.open = true; }),
               button('Print everything', null, printEverything));
  document.querySelector('header').append(tools);

  dark.addEventListener('change', () => {
    for (const [figure, shown] of open) {
      shown.chart.destroy();
      open.set(figure, { ...shown, chart: chartOf(shown.plot, shown.canvas) });
    }
  });
})();
