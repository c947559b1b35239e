export { AudienceIdParam, IdParam } from './id-param.js';
export { ApiPage, mapPage, PageQuery, readPage, type Page } from './paging.js';
export { IsName } from './text.js';
export { wantsCsv } from './wants-csv.js';
