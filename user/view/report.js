// Reads values off the pictures, by pointer and by keyboard. The page says everything without it.
"use strict";
(() => {
	const SVG = "http://www.w3.org/2000/svg";

	const bytes = (v) => {
		const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
		let i = 0;
		for (; v >= 1024 && i < units.length - 1; i++) v /= 1024;
		return `${v.toFixed(v < 100 && i ? 1 : 0)} ${units[i]}`;
	};
	const ms = (v) => (v >= 1000 ? `${(v / 1000).toFixed(2)} s` : `${v < 10 ? v.toFixed(1) : v.toFixed(0)} ms`);
	const spell = {
		bytes,
		ms,
		per_s: (v) => `${v < 10 ? +v.toFixed(1) : v.toFixed(0)} /s`,
		count: (v) => v.toFixed(0),
	};
	const clock = (t) => new Date(t).toISOString().slice(11, 23);

	// One curve or layer: places, values, and how they are spelled.
	const seriesOf = (panel) => {
		const xs = panel.dataset.x.split(" ").map(Number);
		return [...panel.querySelectorAll(":scope > [data-v]")].map((path) => ({
			name: path.dataset.name,
			spell: spell[path.dataset.unit],
			xs,
			values: path.dataset.v.split(" ").map((v) => (v === "-" ? NaN : Number(v))),
		}));
	};

	// The value nearest to a place, if one is near.
	const valueAt = (series, x) => {
		let best = -1;
		for (let i = 0; i < series.xs.length; i++)
			if (!Number.isNaN(series.values[i]) && (best < 0 || Math.abs(series.xs[i] - x) < Math.abs(series.xs[best] - x))) best = i;
		return best >= 0 && Math.abs(series.xs[best] - x) < 40 ? series.values[best] : NaN;
	};

	const watch = (frame) => {
		const svg = frame.querySelector("svg");
		const readout = frame.querySelector(".readout");
		const left = Number(svg.dataset.left), right = Number(svg.dataset.right);
		const bends = svg.dataset.scale.split(" ").map(Number);
		const series = [...svg.querySelectorAll(".panel")].flatMap(seriesOf);
		const marks = [...svg.querySelectorAll(".mark")].map((m) => ({ x: Number(m.dataset.x), name: m.dataset.name, number: m.dataset.number }));
		const places = [...new Set([...series.flatMap((s) => s.xs), ...marks.map((m) => m.x)])].filter((x) => x >= left && x <= right).sort((a, b) => a - b);
		const cursor = document.createElementNS(SVG, "path");
		let at = NaN;

		cursor.setAttribute("class", "cursor");
		svg.append(cursor);

		const timeAt = (x) => {
			for (let i = 0; i + 3 < bends.length; i += 2)
				if (x <= bends[i + 2] && bends[i + 2] > bends[i])
					return bends[i + 1] + ((x - bends[i]) / (bends[i + 2] - bends[i])) * (bends[i + 3] - bends[i + 1]);
			return bends[bends.length - 1];
		};
		const line = (tag, text, value) => {
			const element = document.createElement(tag);
			element.textContent = text;
			if (value !== undefined) {
				const i = document.createElement("i");
				i.textContent = value;
				element.append(" ", i);
			}
			return element;
		};
		const show = (x) => {
			const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
			at = Math.min(Math.max(x, left), right);
			cursor.setAttribute("d", `M${at} 0V${svg.dataset.bottom}`);
			readout.replaceChildren(line("b", `${clock(timeAt(at))} UTC`));
			for (const mark of marks)
				if (Math.abs(mark.x - at) < 3) readout.append(line("em", `${mark.number} ${mark.name}`));
			for (const s of series) {
				const value = valueAt(s, at);
				if (value > 0 || (value === 0 && s.spell !== spell.per_s)) readout.append(line("span", s.name, s.spell(value)));
			}
			readout.hidden = false;
			const place = at * scale, width = readout.offsetWidth;
			const shift = place + 16 + width > frame.scrollLeft + frame.clientWidth ? place - width - 16 : place + 16;
			readout.style.left = `${Math.max(shift, 4)}px`;
			readout.style.top = "40px";
		};
		const hide = () => {
			readout.hidden = true;
			cursor.setAttribute("d", "");
			at = NaN;
		};
		const step = (list, forward) => {
			const from = Number.isNaN(at) ? (forward ? -1 : Infinity) : at;
			const next = forward ? list.find((x) => x > from + 0.05) : list.findLast((x) => x < from - 0.05);
			if (next !== undefined) show(next);
			if (frame.scrollWidth > frame.clientWidth)
				frame.scrollLeft = (at * svg.getBoundingClientRect().width) / svg.viewBox.baseVal.width - frame.clientWidth / 2;
		};
		const stops = [...new Set(marks.map((m) => m.x))].sort((a, b) => a - b);
		const keys = {
			ArrowRight: () => step(places, true),
			ArrowLeft: () => step(places, false),
			PageDown: () => step(stops, true),
			PageUp: () => step(stops, false),
			Home: () => show(places[0] ?? left),
			End: () => show(places[places.length - 1] ?? right),
			Escape: hide,
		};

		svg.addEventListener("pointermove", (event) => {
			const box = svg.getBoundingClientRect();
			show(((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width);
		});
		svg.addEventListener("pointerleave", hide);
		frame.addEventListener("blur", hide);
		frame.addEventListener("keydown", (event) => {
			if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
			event.preventDefault();
			keys[event.key]();
		});
	};

	document.querySelectorAll(".frame").forEach(watch);
})();
