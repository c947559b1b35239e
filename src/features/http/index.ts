export { AudienceIdParam, IdParam } from './id-param.js';
export { ApiPage, mapPage, PageQuery, readPage, WorkspacePageQuery, type Page } from './paging.js';
export { readForm, type FormFile } from './read-form.js';
export { refuseRest } from './refuse-rest.js';
export { IsName } from './text.js';
export { wantsCsv } from './wants-csv.js';
