import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The audience that the example file makes. */
export const EXAMPLE_NAME = 'Example Audience';

/** Seat id of the demo workspace. */
export const DEMO_SEAT = 'demo';

/** Invented people: names from nowhere, addresses of example.com, telephone numbers that nobody has. */
const PEOPLE = `Email,Phone,FirstName,LastName,StreetAddress,mState,mZip5
ada.quill@example.com,212-555-0101,Ada,Quill,1 Harbor Lane,NY,10001
basil.thorne@example.com,212-555-0102,Basil,Thorne,14 Maple Court,NY,10002
cora.winslow@example.com,,Cora,Winslow,220 Orchard Road,NJ,07030
dion.marlow@example.com,303-555-0104,Dion,Marlow,7 Summit Way,CO,80202
edith.farrow@example.com,303-555-0105,Edith,Farrow,,,
felix.oakes@example.com,,Felix,Oakes,31 River Street,OR,97201
greta.lund@example.com,503-555-0107,Greta,Lund,88 Cedar Avenue,OR,97202
hugo.vance@example.com,503-555-0108,Hugo,Vance,5 Mill Road,WA,98101
iris.cole@example.com,,Iris,Cole,19 Garden Place,WA,98102
jonas.reed@example.com,206-555-0110,Jonas,Reed,402 Lake Drive,MA,02108
kira.stone@example.com,617-555-0111,Kira,Stone,61 Chapel Street,MA,02109
leon.hart@example.com,617-555-0112,Leon,Hart,,,
mina.frost@example.com,,Mina,Frost,12 Prairie Road,IL,60601
nils.berg@example.com,312-555-0114,Nils,Berg,73 State Street,IL,60602
olive.pratt@example.com,312-555-0115,Olive,Pratt,9 Willow Lane,IL,60603
pavel.dunn@example.com,,Pavel,Dunn,300 Mission Street,CA,94105
quinn.ash@example.com,415-555-0117,Quinn,Ash,17 Bay Road,CA,94107
rosa.lane@example.com,415-555-0118,Rosa,Lane,24 Hill Street,CA,94110
silas.moor@example.com,,Silas,Moor,56 Peach Street,GA,30303
tess.wilde@example.com,404-555-0120,Tess,Wilde,8 Magnolia Court,GA,30305
`;

/** Puts the example file into the drop folder, whole or not at all. */
export async function dropExample(dropFolder: string): Promise<string> {
  const path = join(dropFolder, 'onboarding', `seat_id=${DEMO_SEAT}`, 'example', `${EXAMPLE_NAME}.csv`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, PEOPLE);
  await rename(`${path}.part`, path);
  return path;
}
