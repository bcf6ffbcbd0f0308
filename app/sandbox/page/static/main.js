import "./modal.js";
import "./press.js";
import "./menus.js";
import { begin } from "./tools.js";

begin();
