/** The page's markup and style. The code of the page is in page.js, which is sent unchanged. */
export const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Models</title>
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
</head>
<body>
<header>
<h1>Models</h1>
<label>Model <select id="model"></select></label>
<label>Token <input id="token" type="password" autocomplete="off" placeholder="if required"></label>
</header>
<p id="said" role="status"></p>
<main>
<section>
<h2>Try it</h2>
<form id="row"></form>
<div id="answer" aria-live="polite"></div>
</section>
<section>
<h2>Response times</h2>
<div id="times"></div>
<p id="counts"></p>
</section>
</main>
</body>
</html>
`;

export const css = `body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem; color: #222; background: #fff }
header { display: flex; gap: 1.5rem; align-items: baseline; flex-wrap: wrap }
h1 { font-size: 1.4rem; margin: 0 }
h2 { font-size: 1.1rem }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 2rem }
form { display: grid; grid-template-columns: max-content 1fr; gap: .4rem .8rem; align-items: center }
form button { grid-column: 2; justify-self: start }
input, select, button { font: inherit; padding: .15rem .4rem }
table { border-collapse: collapse; margin-top: .8rem }
td, th { text-align: left; padding: .1rem .8rem .1rem 0; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto }
rect { fill: #2a6f97 }
text { font-size: 11px; fill: currentColor }
.wrong { color: #a4161a }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } rect { fill: #7fb7d6 } .wrong { color: #ff8b8b } }
`;
