// The list of experiments: rows that are picked.
import "./selection.js";
