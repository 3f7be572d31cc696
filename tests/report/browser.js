// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// browser.js BROWSER DIR - the report as its readers see it: light, dark, narrow, printed, by keyboard,
// without script, and with hostile text. What must be in the picture is computed from the numbers the
// page carries and from the recording, and compared with where it is drawn. Prints TAP lines.
"use strict";
const { chromium } = require("playwright-core");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const [, , browserPath, dir] = process.argv;
const root = path.resolve(__dirname, "../..");
const memswell = path.join(root, "memswell");
const story = path.join(root, "tests/replay/oom_kill.records.jsonl.gz");
let failed = false;

const result = (name, why) => {
	console.log(why ? `not ok report: ${name} - ${why}` : `ok report: ${name}`);
	failed ||= Boolean(why);
};

const check = async (name, body) => {
	try {
		result(name, await body());
	} catch (error) {
		result(name, String(error).split("\n")[0]);
	}
};

const report = (files, out) => {
	const page = path.join(dir, out);
	execFileSync(memswell, ["report", ...files, "-o", page]);
	return page;
};

// A page that notes everything it must not do.
const open = async (browser, file, options = {}) => {
	const context = await browser.newContext({ viewport: { width: 1240, height: 1000 }, ...options });
	const page = await context.newPage();
	const sins = [];

	page.on("console", (message) => ["error", "warning"].includes(message.type()) && sins.push(`console: ${message.text()}`));
	page.on("pageerror", (error) => sins.push(`error: ${error.message}`));
	page.on("dialog", (dialog) => {
		sins.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.on("request", (request) => request.url() !== `file://${file}` && sins.push(`request: ${request.url().slice(0, 80)}`));
	await page.goto(`file://${file}`);
	return { context, page, sins };
};

// Within the page: places of a path, whatever mix of M, l, h, v, H, V it is made of.
const helpers = () => {
	window.points = (d) => {
		const out = [];
		let x = 0, y = 0;
		for (const [, op, rest] of d.matchAll(/([MlhvHV])([^MlhvHVz]*)/g)) {
			const n = (rest.match(/-?[\d.]+(?:e-?\d+)?/g) || []).map(Number);
			if (op === "M") [x, y] = n;
			else if (op === "l") { x += n[0]; y += n[1]; }
			else if (op === "h") x += n[0];
			else if (op === "v") y += n[0];
			else if (op === "H") x = n[0];
			else y = n[0];
			out.push([x, y]);
		}
		return out;
	};
	window.timeAt = (svg, x) => {
		const b = svg.dataset.scale.split(" ").map(Number);
		for (let i = 0; i + 3 < b.length; i += 2)
			if (x <= b[i + 2] && b[i + 2] > b[i]) return b[i + 1] + ((x - b[i]) / (b[i + 2] - b[i])) * (b[i + 3] - b[i + 1]);
		return b.at(-1);
	};
	window.numbers = (text) => text.split(" ").map((v) => (v === "-" ? NaN : Number(v)));
	window.luminance = (color) => {
		const [r, g, b] = color.match(/[\d.]+/g).map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
};

// The recording itself, to compare with.
const truth = () => {
	const records = execFileSync("gzip", ["-dc", story], { maxBuffer: 1 << 26 }).toString().trim().split("\n").map(JSON.parse);
	const pid = records.find((r) => r.k === "oom").pid;
	const wall = records[0].wall_offset_ns ?? 0;
	const anon = records.filter((r) => r.k === "task" && r.pid === pid).map((r) => r.anon_bytes);

	return {
		peak: Math.max(...anon, ...records.filter((r) => (r.k === "oom" || r.k === "exit") && r.pid === pid).map((r) => r.anon_bytes)),
		limit: records.find((r) => r.k === "oom").limit_bytes,
		exitMs: (records.find((r) => r.k === "exit" && r.pid === pid).t + wall) / 1e6,
		failures: 428,
	};
};

const drawnRight = async (page, real) => page.evaluate((real) => {
	const svg = document.querySelector("svg.chart");
	const memory = svg.querySelector(".panel.memory");
	const anon = memory.querySelector(".curve.anon");
	const { top, bottom, high } = memory.dataset;
	const place = (v) => +bottom - ((bottom - top) * v) / high;
	const near = (a, b, by) => Math.abs(a - b) <= by;
	const panels = [...svg.querySelectorAll(".panel")].map((p) => p.dataset.panel).join(" ");
	const values = numbers(anon.dataset.v), xs = numbers(memory.dataset.x);
	const drawn = points(anon.getAttribute("d"));

	if (panels !== "memory clients upstream latency in-flight reclaim") return `panels: ${panels}`;
	// each value is where it belongs, and the highest is the recording's
	for (let i = 0; i < values.length; i++)
		if (!drawn.some(([x, y]) => near(x, xs[i], 1) && near(y, place(values[i]), 1.5))) return `value ${i} (${values[i]}) is not at ${xs[i]}`;
	if (!near(Math.max(...values) / real.peak, 1, 0.001)) return `peak ${Math.max(...values)}, recorded ${real.peak}`;
	if (!near(Math.min(...drawn.map((p) => p[1])), place(real.peak), 1.5)) return "the peak is drawn elsewhere";
	const ceiling = memory.querySelector(".ceiling.nearest");
	if (+ceiling.dataset.bytes !== real.limit) return `ceiling ${ceiling.dataset.bytes}, limit ${real.limit}`;
	if (!near(points(ceiling.getAttribute("d"))[0][1], place(real.limit), 0.6)) return "the ceiling is drawn elsewhere";
	if (near(place(real.limit), top, 1)) return "the ceiling is at the very top";
	// the forecast begins when it was made and ends on the ceiling, when it said
	const forecast = memory.querySelector(".forecast[data-made]");
	const path = points(forecast.getAttribute("d"));
	const made = +forecast.dataset.made, end = made + 1000 * forecast.dataset.leftS;
	if (!near(timeAt(svg, path[0][0]), made, 150)) return "the forecast begins at another time";
	if (!near(timeAt(svg, path.at(-1)[0]), end, 60)) return `the forecast ends ${timeAt(svg, path.at(-1)[0]) - end} ms off`;
	if (!near(path.at(-1)[1], place(real.limit), 0.6)) return "the forecast does not end on the ceiling";
	return "";
}, real);

const marksRight = async (page, real) => page.evaluate((real) => {
	const svg = document.querySelector("svg.chart");
	const rows = [...document.querySelectorAll("table.timeline tbody tr")];
	const day = new Date(real.exitMs).toISOString().slice(0, 11);
	const wanted = ["growth begins", "warning", "signal", "process exits", "listener down", "listener up", "first failure", "last failure"];
	const names = [...svg.querySelectorAll(".mark")].map((m) => m.dataset.name.split(":")[0]);

	if (rows.length !== names.length) return `${names.length} marks, ${rows.length} moments`;
	for (const name of wanted) if (!names.includes(name)) return `no mark for ${name}`;
	for (const mark of svg.querySelectorAll(".mark")) {
		const cells = rows[mark.dataset.number - 1].children;
		const told = Date.parse(`${day}${cells[1].textContent}Z`), drawn = timeAt(svg, +mark.dataset.x);
		if (Math.abs(told - drawn) > 120) return `mark ${mark.dataset.number} is ${drawn - told} ms off`;
		if (!mark.dataset.name.startsWith(cells[3].textContent)) return `mark ${mark.dataset.number} is named otherwise`;
	}
	const exit = [...svg.querySelectorAll(".mark.m-exit")][0];
	return Math.abs(timeAt(svg, +exit.dataset.x) - real.exitMs) < 20 ? "" : "the exit is drawn at another time than recorded";
}, real);

// Bars are rates: their area is the number of failures, and none stands where nothing failed.
const barsRight = async (page, real) => page.evaluate((real) => {
	const svg = document.querySelector("svg.chart");
	const bars = svg.querySelector(".panel.clients .bars.s502");
	const rates = numbers(bars.dataset.v).filter((v) => v > 0);
	const drawn = bars.getAttribute("d").split("z").filter(Boolean).map(points);
	const mark = (kind) => timeAt(svg, +svg.querySelector(`.mark.m-${kind}`).dataset.x);
	let sum = 0;

	if (drawn.length !== rates.length) return `${drawn.length} bars of ${rates.length} values`;
	drawn.forEach((bar, i) => {
		sum += (rates[i] * (timeAt(svg, bar[1][0]) - timeAt(svg, bar[0][0]))) / 1000;
	});
	if (Math.abs(sum - real.failures) > 0.03 * real.failures) return `the bars hold ${sum.toFixed(1)} failures, there were ${real.failures}`;
	const first = timeAt(svg, drawn[0][0][0]), last = timeAt(svg, drawn.at(-1)[1][0]);
	if (first < mark("first_failure") - 30) return `a bar begins ${mark("first_failure") - first} ms before the first failure`;
	if (last > mark("last_failure") + 30) return `a bar ends ${last - mark("last_failure")} ms after the last failure`;
	return "";
}, real);

const readable = async (page, dark) => page.evaluate((dark) => {
	const background = luminance(getComputedStyle(document.querySelector(".incident")).backgroundColor);
	const poor = [];

	if (dark !== background < 0.2) return `the background has a luminance of ${background.toFixed(2)}`;
	for (const element of document.querySelectorAll("h1, h2, h3, p, td, th, dt, dd, li, .chart text:not(.badge-number)")) {
		const style = getComputedStyle(element);
		const color = luminance(element.closest("svg") ? style.fill : style.color);
		const contrast = (Math.max(color, background) + 0.05) / (Math.min(color, background) + 0.05);
		if (contrast < 4.5) poor.push(`${element.tagName}.${element.getAttribute("class")} ${contrast.toFixed(1)}`);
	}
	return [...new Set(poor)].slice(0, 4).join(", ");
}, dark);

// Nothing wider than the window, no words on words.
const fits = async (page) => page.evaluate(() => {
	const overlapping = (list) => {
		const boxes = list.map((e) => e.getBoundingClientRect());
		for (let a = 0; a < boxes.length; a++)
			for (let b = a + 1; b < boxes.length; b++)
				if (boxes[a].left < boxes[b].right - 1 && boxes[b].left < boxes[a].right - 1 && boxes[a].top < boxes[b].bottom - 2 && boxes[b].top < boxes[a].bottom - 2)
					return `"${list[a].textContent}" lies on "${list[b].textContent}"`;
		return "";
	};
	if (document.documentElement.scrollWidth > innerWidth) return `the page is ${document.documentElement.scrollWidth} wide, the window ${innerWidth}`;
	for (const svg of document.querySelectorAll("svg.chart")) {
		const why = overlapping([...svg.querySelectorAll(".mark-name, .badge-number")]) || overlapping([...svg.querySelectorAll(".tick")]) ||
			overlapping([...svg.querySelectorAll(".panel-title, .legend")]);
		if (why) return why;
	}
	return "";
});

const accessible = async (page) => page.evaluate(() => {
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	const svgs = [...document.querySelectorAll("svg")];

	if (new Set(ids).size !== ids.length) return "an id is there twice";
	if (!document.documentElement.lang) return "no language";
	if (svgs.some((s) => s.getAttribute("role") !== "img" || !s.querySelector("title").textContent.trim())) return "a picture without a name";
	if ([...document.querySelectorAll("th")].some((th) => !th.scope)) return "a heading of nothing";
	if ([...document.querySelectorAll(".frame")].some((f) => !f.getAttribute("aria-label") || f.tabIndex !== 0)) return "a frame that takes no focus";
	if ([...document.querySelectorAll("details.data table tbody tr")].length < 10) return "no table of the numbers";
	return "";
});

const byKeyboard = async (page) => {
	const focused = () => page.evaluate(() => document.activeElement.className);
	const readout = page.locator(".readout").first();
	let seen = "";

	for (let i = 0; i < 8 && (await focused()) !== "frame"; i++) await page.keyboard.press("Tab");
	if ((await focused()) !== "frame") return "the picture is not reached by Tab";
	await page.keyboard.press("End");
	await page.keyboard.press("ArrowLeft");
	if (!(await readout.isVisible())) return "arrow keys show nothing";
	await page.keyboard.press("Home");
	for (let i = 0; i < 14 && !seen.includes("process exits"); i++) {
		await page.keyboard.press("PageDown");
		seen = await readout.innerText();
	}
	if (!seen.includes("process exits: exit code 137")) return `page keys do not reach the exit: ${seen.slice(0, 80)}`;
	if (!/12:24:49\.6/.test(seen)) return `the exit is read at ${seen.slice(0, 20)}`;
	if (!/anonymous memory\s+154 MiB/.test(seen)) return `no memory at the exit: ${seen}`;
	await page.keyboard.press("Escape");
	return (await readout.isVisible()) ? "Escape does not hide it" : "";
};

const byPointer = async (page) => {
	const box = await page.locator("svg.chart").first().boundingBox();
	const readout = page.locator(".readout").first();

	await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.3);
	const text = await readout.innerText();
	for (const name of ["UTC", "anonymous memory", "cgroup usage", "answers below 500", "latency p95", "requests in flight"])
		if (!text.includes(name)) return `${name} is not shown: ${text}`;
	await page.mouse.move(box.x + box.width * 0.985, box.y + 60);
	const inside = await readout.evaluate((e) => e.getBoundingClientRect().right <= e.closest(".frame").getBoundingClientRect().right + 1);
	return inside ? "" : "it leaves the frame";
};

const printed = async (page) => {
	const pdf = path.join(dir, "print.pdf");

	await page.pdf({ path: pdf, format: "A4", preferCSSPageSize: true, printBackground: true });
	const info = execFileSync("pdfinfo", [pdf]).toString();
	const pages = Number(/Pages:\s+(\d+)/.exec(info)[1]);
	const text = execFileSync("pdftotext", [pdf, "-"]).toString().replace(/\s+/g, " ");
	if (!/Page size:\s+59[45]\S* x 84[12]/.test(info)) return "the paper is not A4";
	if (pages > 4) return `one incident takes ${pages} pages`;
	for (const words of ["was OOM-killed", "Memory", "cgroup limit", "tp_btf/mark_victim", "process exits"])
		if (!text.includes(words)) return `"${words}" is not printed`;
	execFileSync("pdftoppm", ["-r", "60", "-png", "-f", "1", "-l", "1", pdf, path.join(dir, "print")]);
	return "";
};

// The same line with every string replaced, and keys added, by what would run if it could.
const hostilePage = () => {
	const evil = `"'><script>window.pwned=1;alert(1)</script><img src="http://127.0.0.1:9/x" onerror="alert(1)"><a href="javascript:alert(1)">x</a></style></title></svg><svg onload=alert(1)>\u001b[2J\u202e`;
	const frame = new Set(["schema", "id", "timestamp", "boot_ns", "t", "start", "end", "record", "schema_version", "process.creation.time", "process.exit.time"]);
	const poison = (v, key) => {
		if (typeof v === "string") return frame.has(key) ? v : evil;
		if (Array.isArray(v)) return v.map((e) => poison(e));
		if (v && typeof v === "object") {
			const out = Object.fromEntries(Object.entries(v).map(([k, e]) => [k, poison(e, k)]));
			if (["client_responses", "upstream_failures", "fields"].includes(key)) out[evil] = 7;
			return out;
		}
		return v;
	};
	const lines = execFileSync(memswell, ["replay", story]).toString().trim().split("\n");
	const file = path.join(dir, "hostile.jsonl");

	fs.writeFileSync(file, lines.map((line) => `${JSON.stringify(poison(JSON.parse(line)))}\n`).join(""));
	return report([file], "hostile.html");
};

const harmless = async (browser) => {
	const { context, page, sins } = await open(browser, hostilePage());
	const why = await page.evaluate(async () => {
		await new Promise((resolve) => setTimeout(resolve, 300));
		if (window.pwned) return "it ran";
		if (document.scripts.length !== 1) return `${document.scripts.length} scripts`;
		if (document.images.length || document.querySelector("[onload], [onerror]")) return "it made elements";
		if ([...document.links].some((a) => !a.getAttribute("href").startsWith("#"))) return "it made links";
		if (!document.body.textContent.includes("<script>window.pwned=1")) return "the text is not there";
		return /[\u0000-\u0008\u001b\u202e]/.test(document.body.textContent) ? "control characters" : "";
	});
	await page.hover("svg.chart");
	await page.focus(".frame");
	await page.keyboard.press("PageDown");
	await context.close();
	return why || sins.join("; ");
};

const saysAllWithoutScript = async (browser, file) => {
	const { context, page, sins } = await open(browser, file, { javaScriptEnabled: false });
	const text = await page.locator("body").innerText();
	const curves = await page.locator("svg .curve").count();

	await context.close();
	if (curves < 4) return "no picture";
	return sins.join("; ") || (text.includes("was OOM-killed") ? "" : "no text");
};

// For the README: one incident down to the end of its picture.
const picture = async (browser, file) => {
	const { context, page } = await open(browser, file, { viewport: { width: 1000, height: 1000 } });
	const box = await page.locator("article").first().boundingBox();
	const chart = await page.locator(".picture svg").first().boundingBox();
	const out = path.join(dir, "report.png");

	await page.screenshot({ path: out, fullPage: true, clip: { ...box, height: chart.y + chart.height - box.y + 12 } });
	await context.close();
	if (fs.statSync(out).size > 150 * 1024) return `${fs.statSync(out).size} bytes`;
	if (process.env.MEMSWELL_UPDATE_IMAGES) {
		fs.mkdirSync(path.join(root, "docs/images"), { recursive: true });
		fs.copyFileSync(out, path.join(root, "docs/images/report.png"));
	}
	return "";
};

const main = async () => {
	const browser = await chromium.launch({
		executablePath: browserPath,
		args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync", "--disable-component-update"],
	});
	const one = report([story], "one.html");
	const many = report(fs.readdirSync(path.join(root, "tests/replay")).filter((f) => f.endsWith(".records.jsonl.gz")).map((f) => path.join(root, "tests/replay", f)), "many.html");
	const real = truth();

	for (const scheme of ["light", "dark"]) {
		const { context, page, sins } = await open(browser, one, { colorScheme: scheme });

		await page.evaluate(helpers);
		await check(`${scheme}: curves, ceiling and forecast are where the numbers say`, () => drawnRight(page, real));
		await check(`${scheme}: marks are at their time`, () => marksRight(page, real));
		await check(`${scheme}: bars hold all failures and begin with the first`, () => barsRight(page, real));
		await check(`${scheme}: colours can be read`, () => readable(page, scheme === "dark"));
		await check(`${scheme}: nothing overlaps`, () => fits(page));
		await check(`${scheme}: by keyboard`, () => byKeyboard(page));
		await check(`${scheme}: by pointer`, () => byPointer(page));
		await page.mouse.move(0, 0);
		await page.screenshot({ path: path.join(dir, `${scheme}.png`), fullPage: true });
		if (scheme === "light") {
			await check("for screen readers", () => accessible(page));
			await check("on paper", () => printed(page));
		}
		result(`${scheme}: no request, no error`, sins.join("; "));
		await context.close();
	}
	{
		const { context, page, sins } = await open(browser, many, { viewport: { width: 390, height: 800 } });

		await check("on a narrow window", () => fits(page));
		await page.setViewportSize({ width: 1240, height: 1000 });
		await check("all stories: nothing overlaps", () => fits(page));
		await check("all stories: each is listed and told", async () => {
			const articles = await page.locator("article").count(), rows = await page.locator(".list tbody tr").count();
			const stories = fs.readdirSync(path.join(__dirname, "../replay")).filter((f) => f.endsWith(".records.jsonl.gz")).length;
			return articles === stories && rows === stories ? "" : `${articles} told, ${rows} listed`;
		});
		result("all stories: no request, no error", sins.join("; "));
		await context.close();
	}
	await check("the picture of the README", () => picture(browser, one));
	await check("without script", () => saysAllWithoutScript(browser, one));
	await check("hostile text does nothing", () => harmless(browser));
	await check("a day of 100 incidents opens", async () => {
		const { context, page, sins } = await open(browser, path.join(dir, "day.html"));
		const nr = await page.locator("article").count();
		await context.close();
		return sins.join("; ") || (nr === 100 ? "" : `${nr} incidents`);
	});
	await browser.close();
};

main().then(() => process.exit(failed ? 1 : 0), (error) => {
	result("in a browser", String(error).split("\n")[0]);
	process.exit(1);
});
