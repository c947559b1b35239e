export { suppressionKey, type KeyParams } from './suppression-key.js';
export { entriesSql, entrySql, FORM_CODES, formsSql, withFormsSql } from './suppression-sql.js';
