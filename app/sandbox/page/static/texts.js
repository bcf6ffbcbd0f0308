// The page's texts in its language, as the server put them into the page.

const texts = JSON.parse(document.getElementById("texts").textContent);
const plural = new Intl.PluralRules(document.documentElement.lang);

/** The text with its fields filled in; of a text with plural forms the one for `count`. */
export function text(key, fields = {}) {
  const found = texts[key];
  const template = typeof found === "string" ? found : found[plural.select(fields.count)];
  return template.replace(/\{(\w+)\}/g, (_, name) => fields[name]);
}
